"""A real DynamoDB engine (dynoxide) for tests and benchmarks: started on a free port of loopback, in memory."""

import http.client
import json
import os
import pathlib
import shutil
import socket
import subprocess
import time
from collections import defaultdict
from typing import Any

import boto3
from botocore.config import Config

from infra.tables import TABLES, definition

ROOT = pathlib.Path(__file__).parent.parent
# Of a table with more rows it is cheaper to make it anew.
FEW_ROWS = 1_000


def binary() -> str:
    """Where `make` put the engine (`BILLFOLD_DYNOXIDE` overrides it)."""
    found = os.environ.get("BILLFOLD_DYNOXIDE") or next(
        (str(path) for path in ROOT.glob(".local/dynoxide/**/dynoxide") if path.is_file()), None
    )
    found = found or shutil.which("dynoxide")
    if not found:
        raise RuntimeError("dynoxide is not installed: run `make test`, which installs it")
    return found


class Engine:
    """`with Engine() as engine:` runs the server; `engine.empty()` empties all tables."""

    def __init__(self) -> None:
        self.marks: dict[str, str] = {}
        self._shards: dict[str, list[dict[str, str]]] = {}
        self._without_streams = False

    def __enter__(self) -> "Engine":
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        self._process = subprocess.Popen(
            [binary(), "serve", "--port", str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        self._wait(port)
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        self.client = self._connect("dynamodb")
        # The engine's sequence numbers are shorter than boto3 believes possible.
        self.streams = self._connect("dynamodbstreams", Config(parameter_validation=False))
        return self

    def _connect(self, service: str, config: Config | None = None) -> Any:
        keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
        make: Any = boto3.client
        return make(service, endpoint_url=self.url, region_name="eu-west-1", config=config, **keys)

    def __exit__(self, *_: object) -> None:
        self._connection.close()
        self._process.terminate()
        self._process.wait(10)

    def _wait(self, port: int) -> None:
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return
            time.sleep(0.02)
        raise RuntimeError("dynoxide did not start")

    def ask(self, operation: str, arguments: dict[str, Any]) -> dict[str, Any]:
        """One call, over one plain connection and unsigned: tests look at whole tables thousands of times. For one thread alone."""
        headers = {
            "Content-Type": "application/x-amz-json-1.0",
            "X-Amz-Date": "20260101T000000Z",
            "X-Amz-Target": f"DynamoDB_20120810.{operation}",
            "Authorization": "AWS4-HMAC-SHA256 Credential=test/20260101/eu-west-1/dynamodb/aws4_request, "
            "SignedHeaders=host, Signature=0",
        }
        self._connection.request("POST", "/", json.dumps(arguments), headers)
        response = self._connection.getresponse()
        answer: dict[str, Any] = json.loads(response.read())
        assert response.status == 200, answer
        return answer

    def write(self, requests: list[tuple[str, dict[str, Any]]]) -> None:
        """Requests of BatchWriteItem, each with its table."""
        for start in range(0, len(requests), 25):
            batch: dict[str, list[dict[str, Any]]] = defaultdict(list)
            for table, request in requests[start : start + 25]:
                batch[f"billfold-{table}"].append(request)
            assert not self.ask("BatchWriteItem", {"RequestItems": batch}).get("UnprocessedItems")

    def empty(self, *, streams: bool = False) -> None:
        """No row in any table; with streams only where they are read, because the engine slows with each record."""
        if streams or not (self._without_streams and self._delete_rows()):
            self._make_anew(streams)
        self._without_streams = not streams

    def _delete_rows(self) -> bool:
        """Delete every row, if they are few."""
        found = []
        for table in TABLES:
            answer = self.ask("Scan", {"TableName": f"billfold-{table.name}", "ProjectionExpression": "pk, sk"})
            found += [(table.name, {"DeleteRequest": {"Key": key}}) for key in answer["Items"]]
            if "LastEvaluatedKey" in answer or len(found) > FEW_ROWS:
                return False
        self.write(found)
        return True

    def _make_anew(self, streams: bool) -> None:
        self._shards.clear()
        known = set(self.client.list_tables()["TableNames"])
        for table in TABLES:
            name = f"billfold-{table.name}"
            if name in known:
                self.client.delete_table(TableName=name)
            stream = (
                {"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"}
                if table.streamed and streams
                else {"StreamEnabled": False}
            )
            self.client.create_table(**definition(table, name), StreamSpecification=stream)

    def shards(self, table: str) -> list[dict[str, str]]:
        """The shards of a table's stream, as the stream's calls name them; they stay until the tables are made anew."""
        if table not in self._shards:
            arn = self.client.describe_table(TableName=f"billfold-{table}")["Table"]["LatestStreamArn"]
            found = self.streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]
            self._shards[table] = [{"StreamArn": arn, "ShardId": shard["ShardId"]} for shard in found]
        return self._shards[table]

    def rows(self, table: str) -> list[dict[str, Any]]:
        """Every row of a table, for tests that look at all of it."""
        pages = self.client.get_paginator("scan").paginate(TableName=f"billfold-{table}")
        return [item for page in pages for item in page["Items"]]
