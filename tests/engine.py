"""A real DynamoDB engine (dynoxide) for tests and benchmarks: started on a free port of loopback, in memory."""

import os
import pathlib
import shutil
import socket
import subprocess
import time
from typing import Any

import boto3

from infra.tables import TABLES, definition

ROOT = pathlib.Path(__file__).parent.parent


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
    """`with Engine() as engine:` runs the server; `engine.empty()` makes all tables anew."""

    def __init__(self) -> None:
        self.marks: dict[str, str] = {}

    def __enter__(self) -> "Engine":
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        self._process = subprocess.Popen(
            [binary(), "serve", "--port", str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        self._wait(port)
        self.client: Any = boto3.client(
            "dynamodb",
            endpoint_url=self.url,
            region_name="eu-west-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(10)

    def _wait(self, port: int) -> None:
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return
            time.sleep(0.02)
        raise RuntimeError("dynoxide did not start")

    def empty(self, *, streams: bool = False) -> None:
        """Drop and create every table; with streams only where they are read, because the engine slows with each record."""
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

    def rows(self, table: str) -> list[dict[str, Any]]:
        """Every row of a table, for tests that look at all of it."""
        pages = self.client.get_paginator("scan").paginate(TableName=f"billfold-{table}")
        return [item for page in pages for item in page["Items"]]
