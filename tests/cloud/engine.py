"""A real DynamoDB engine (dynoxide) for tests and benchmarks: started on a free port of loopback, in memory."""

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

from infra.plan.tables import TABLES, definition
from infra.plan.triggers import Stream, every
from tests.cloud import direct

ROOT = pathlib.Path(__file__).parents[2]
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
        self._seen: dict[str, tuple[int, list[dict[str, Any]]]] = {}

    def __enter__(self) -> "Engine":
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        self._process = subprocess.Popen(
            [binary(), "serve", "--port", str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        self._wait(port)
        self._direct = direct.known(self.url)
        self.client = self._connect("dynamodb")
        # The engine's sequence numbers are shorter than boto3 believes possible.
        self.streams = self._connect("dynamodbstreams", Config(parameter_validation=False))
        return self

    def _connect(self, service: str, config: Config | None = None) -> Any:
        keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
        make: Any = boto3.client
        return make(service, endpoint_url=self.url, region_name="eu-west-1", config=config, **keys)

    def __exit__(self, *_: object) -> None:
        direct.forget(self._direct)
        self._process.terminate()
        self._process.wait(10)

    def _wait(self, port: int) -> None:
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return
            time.sleep(0.02)
        raise RuntimeError("dynoxide did not start")

    def ask(self, action: str, arguments: dict[str, Any]) -> dict[str, Any]:
        """One call that must succeed, past any client: tests look at whole tables thousands of times."""
        status, body = self._direct.ask(action, arguments)
        answer: dict[str, Any] = json.loads(body)
        assert status == 200, answer
        return answer

    def all_of(self, table: str) -> list[dict[str, Any]]:
        """Every row of a small table, as JSON; scanned only when something was written since the last look."""
        name = f"billfold-{table}"
        writes = self._direct.writes[name]
        seen = self._seen.get(name)
        if seen is None or seen[0] != writes:
            answer = self.ask("Scan", {"TableName": name})
            assert "LastEvaluatedKey" not in answer, "a table that is looked at whole is small"
            seen = self._seen[name] = (writes, answer["Items"])
        return seen[1]

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
        self._seen = {f"billfold-{table.name}": (self._direct.writes[f"billfold-{table.name}"], []) for table in TABLES}

    def _delete_rows(self) -> bool:
        """Delete every row, if they are few; what nobody has written to since the last time is empty."""
        found = []
        for table in TABLES:
            name = f"billfold-{table.name}"
            if self._seen.get(name) == (self._direct.writes[name], []):
                continue
            answer = self.ask("Scan", {"TableName": name, "ProjectionExpression": "pk, sk"})
            found += [(table.name, {"DeleteRequest": {"Key": key}}) for key in answer["Items"]]
            if "LastEvaluatedKey" in answer or len(found) > FEW_ROWS:
                return False
        self.write(found)
        return True

    def _make_anew(self, streams: bool) -> None:
        self._shards.clear()
        followed = {stream.table for stream in every(Stream)} if streams else set()
        known = set(self.ask("ListTables", {})["TableNames"])
        for table in TABLES:
            name = f"billfold-{table.name}"
            if name in known:
                self.ask("DeleteTable", {"TableName": name})
            stream = (
                {"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"}
                if table.name in followed
                else {"StreamEnabled": False}
            )
            self.ask("CreateTable", definition(table, name) | {"StreamSpecification": stream})

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
