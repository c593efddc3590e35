"""DynamoDB's transaction conflicts, which the engine lacks: a small layer before it, in a process of its own.

A TransactWriteItems takes a given time, during which its items are in flight; one that touches an item in flight is
cancelled with `TransactionConflict` at that item, in the shape that DynamoDB gives it. All else passes through at once.

    client ── HTTP ──► layer ── HTTP ──► engine
"""

import asyncio
import json
import multiprocessing
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Any
from urllib.request import urlopen

Item = tuple[str, str, str]


def items_of(request: dict[str, Any]) -> list[Item]:
    """The item that each write or check of a transaction touches, in order: table, pk and sk."""
    found = []
    for entry in request["TransactItems"]:
        (write,) = entry.values()
        key = write.get("Key") or write["Item"]
        found.append((write["TableName"], key["pk"]["S"], key["sk"]["S"]))
    return found


def cancelled(conflicts: list[bool]) -> bytes:
    """The body of a transaction's cancellation, with a reason for each of its items."""
    met = {"Code": "TransactionConflict", "Message": "Transaction is ongoing for the item"}
    reasons = [met if conflict else {"Code": "None"} for conflict in conflicts]
    codes = ", ".join(reason["Code"] for reason in reasons)
    answer = {
        "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
        "Message": f"Transaction cancelled, please refer cancellation reasons for specific reasons [{codes}]",
        "CancellationReasons": reasons,
    }
    return json.dumps(answer).encode()


class Layer:
    """The server. `counts` says how many transactions came and how many of them met a conflict."""

    def __init__(self, engine_port: int, seconds: float) -> None:
        self._engine_port, self._seconds = engine_port, seconds
        self._in_flight: set[Item] = set()
        self.counts = {"transactions": 0, "conflicts": 0}

    async def serve(self, ready: Connection) -> None:
        server = await asyncio.start_server(self._converse, "127.0.0.1", 0)
        ready.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One client's connection, with one to the engine behind it."""
        behind = await asyncio.open_connection("127.0.0.1", self._engine_port)
        try:
            while True:
                head, body = await _message(reader)
                writer.write(await self._answer(head, body, *behind))
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()
            behind[1].close()

    async def _answer(
        self, head: bytes, body: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bytes:
        if head.startswith(b"GET /counts"):
            return _response(200, json.dumps(self.counts).encode())
        if b".TransactWriteItems" not in head:
            return await _forward(head, body, reader, writer)
        items = items_of(json.loads(body))
        self.counts["transactions"] += 1
        conflicts = [item in self._in_flight for item in items]
        if any(conflicts):
            self.counts["conflicts"] += 1
            return _response(400, cancelled(conflicts))
        self._in_flight.update(items)
        try:
            done, _ = await asyncio.gather(_forward(head, body, reader, writer), asyncio.sleep(self._seconds))
        finally:
            self._in_flight.difference_update(items)
        return done


async def _message(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    """The head and the body of a request or response; both sides always say how long the body is."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = next((int(line[15:]) for line in head.split(b"\r\n") if line[:15].lower() == b"content-length:"), 0)
    return head, await reader.readexactly(length)


async def _forward(head: bytes, body: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
    writer.write(head + body)
    await writer.drain()
    return b"".join(await _message(reader))


def _response(status: int, body: bytes) -> bytes:
    lines = [f"HTTP/1.1 {status} -", "Content-Type: application/x-amz-json-1.0", f"Content-Length: {len(body)}"]
    return "\r\n".join([*lines, "", ""]).encode() + body


def _run(engine_port: int, seconds: float, ready: Connection) -> None:
    asyncio.run(Layer(engine_port, seconds).serve(ready))


@contextmanager
def layer(engine_url: str, seconds: float) -> Iterator[str]:
    """The address of a layer before this engine, whose transactions take this long."""
    spawn = multiprocessing.get_context("spawn")
    ours, theirs = spawn.Pipe()
    process = spawn.Process(target=_run, args=(int(engine_url.rpartition(":")[2]), seconds, theirs), daemon=True)
    process.start()
    try:
        if not ours.poll(20):
            raise RuntimeError("the conflict layer did not start")
        yield f"http://127.0.0.1:{ours.recv()}"
    finally:
        process.terminate()
        process.join(10)


def counts(url: str) -> dict[str, int]:
    """How many transactions a layer has seen so far, and how many conflicts."""
    with urlopen(f"{url}/counts", timeout=5) as answer:
        return dict(json.load(answer))
