"""DynamoDB's data calls straight to the engine: the same JSON as botocore sends, over pooled sockets.

Botocore finds endpoints, signs, may retry and parses at each of a suite's many calls: of what `test_crashes` took of the CPU, more
than half. None of that is ours to test here but by the tests that say so: what injects by botocore's own hooks calls `withdrawn()`,
and `tests/proof/test_direct.py` holds requests and answers against botocore's own serializer and parser.
"""

import base64
import socket
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from urllib.parse import urlsplit

import msgspec
from botocore.client import BaseClient
from botocore.parsers import create_parser

ACTIONS = frozenset(
    {
        "BatchGetItem",
        "BatchWriteItem",
        "DeleteItem",
        "GetItem",
        "PutItem",
        "Query",
        "Scan",
        "TransactGetItems",
        "TransactWriteItems",
        "UpdateItem",
    }
)
# The way that every call of every client goes; its type hides it.
CLIENTS: Any = BaseClient
PARSER: Any = create_parser("json")
# Nobody checks the signature; the engine wants to see one.
HEADERS = (
    "Host: {host}\r\nContent-Type: application/x-amz-json-1.0\r\nX-Amz-Date: 20260101T000000Z\r\n"
    "Authorization: AWS4-HMAC-SHA256 Credential=test/20260101/eu-west-1/dynamodb/aws4_request, SignedHeaders=host, Signature=0\r\n"
)


class Direct:
    """The engine at an address; one socket a caller at a time, kept for the next."""

    def __init__(self, url: str) -> None:
        self.url = url
        parts = urlsplit(url)
        self._address = (parts.hostname, parts.port)
        self._head = f"POST / HTTP/1.1\r\n{HEADERS.format(host=parts.netloc)}X-Amz-Target: DynamoDB_20120810."
        self._idle: list[socket.socket] = []
        # How often each table was written, so that whoever looks at all of a table need look only when something happened.
        self.writes: Counter[str] = Counter()

    def ask(self, action: str, arguments: dict[str, Any]) -> tuple[int, bytes]:
        """One call: the answer's status and its body."""
        with self.noting(action, arguments):
            return self._ask(action, arguments)

    @contextmanager
    def noting(self, action: str, arguments: dict[str, Any]) -> Iterator[None]:
        """Count a write for the tables that it is to, before and after: who looks in between must look again."""
        tables = written(action, arguments)
        self.writes.update(tables)
        try:
            yield
        finally:
            self.writes.update(tables)

    def _ask(self, action: str, arguments: dict[str, Any]) -> tuple[int, bytes]:
        body = msgspec.json.encode(arguments)
        request = f"{self._head}{action}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
        try:
            used = self._idle.pop()
        except IndexError:
            used = socket.create_connection(self._address, timeout=30)
            used.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        used.sendall(request)
        status, answer = _read(used)
        self._idle.append(used)
        return status, answer

    def close(self) -> None:
        while self._idle:
            self._idle.pop().close()


def written(action: str, arguments: dict[str, Any]) -> set[str]:
    """The tables that a call writes to."""
    if action == "TransactWriteItems":
        return {write["TableName"] for item in arguments["TransactItems"] for write in item.values()}
    if action == "BatchWriteItem":
        return set(arguments["RequestItems"])
    return {arguments["TableName"]} if action in ("PutItem", "UpdateItem", "DeleteItem") else set()


def _read(used: socket.socket) -> tuple[int, bytes]:
    received = bytearray()
    while (end := received.find(b"\r\n\r\n")) < 0:
        received += _more(used)
    head, length = bytes(received[:end]).lower(), 0
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        assert name != b"transfer-encoding", "the engine says how long its answers are"
        if name == b"content-length":
            length = int(value)
    while len(received) < end + 4 + length:
        received += _more(used)
    return int(head[9:12]), bytes(received[end + 4 :])


def _more(used: socket.socket) -> bytes:
    part = used.recv(65536)
    if not part:
        raise ConnectionError("the engine closed the connection")
    return part


def parsed(body: bytes) -> dict[str, Any]:
    """A successful answer as botocore parses it, but for its headers."""
    answer: dict[str, Any] = msgspec.json.decode(body)
    if b'"B"' in body:
        answer = _bytes(answer)
    return answer | {"ResponseMetadata": {"HTTPStatusCode": 200, "HTTPHeaders": {}, "RetryAttempts": 0}}


def refusal(client: Any, action: str, status: int, body: bytes) -> Exception:
    """A refusal as botocore raises it, by its own parser: there are few."""
    model, received = client.meta.service_model, {"status_code": status, "headers": {}, "body": body}
    answer = PARSER.parse(received, model.operation_model(action).output_shape)
    code = answer["Error"]["Code"]
    if shape := model.shape_for_error_code(code):
        answer |= PARSER.parse(received, shape)
    raised: Exception = client.exceptions.from_code(code)(answer, action)
    return raised


def _bytes(value: Any) -> Any:
    if isinstance(value, list):
        return [_bytes(one) for one in value]
    if not isinstance(value, dict):
        return value
    if isinstance(value.get("B"), str) and len(value) == 1:
        return {"B": base64.b64decode(value["B"])}
    return {name: _bytes(part) for name, part in value.items()}


_engines: dict[str, Direct] = {}
_withdrawn = threading.Event()


def known(url: str) -> Direct:
    """The engine at an address, whose data calls go straight to it from now on, where `serving` stands."""
    return _engines.setdefault(url, Direct(url))


def forget(engine: Direct) -> None:
    _engines.pop(engine.url).close()


@contextmanager
def serving() -> Iterator[None]:
    """Until it ends, every client's data calls to a known engine go straight to it."""
    real = CLIENTS._make_api_call

    def call(client: Any, action: str, arguments: dict[str, Any]) -> Any:
        if action not in ACTIONS:
            return real(client, action, arguments)
        engine = _engines.get(client.meta.endpoint_url)
        if engine is None or _withdrawn.is_set():
            with ExitStack() as noted:
                # Another address may be a layer before any of the engines.
                for behind in list(_engines.values()):
                    noted.enter_context(behind.noting(action, arguments))
                return real(client, action, arguments)
        status, body = engine.ask(action, arguments)
        if status != 200:
            raise refusal(client, action, status, body)
        return parsed(body)

    CLIENTS._make_api_call = call
    try:
        yield
    finally:
        CLIENTS._make_api_call = real


@contextmanager
def withdrawn() -> Iterator[None]:
    """Calls go botocore's whole way, for tests that stand in it."""
    _withdrawn.set()
    try:
        yield
    finally:
        _withdrawn.clear()
