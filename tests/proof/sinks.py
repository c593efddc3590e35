"""Sinks: every place where something of a request can come to rest, listened to as a whole.

    with Sinks(engine, *addresses_of_banks) as sinks:
        …
    sinks.collect(queues, machines)        # what rests at the end
    sinks.texts["logs"]

Nothing is told what to watch for by hand: calls are recorded where every AWS client and every HTTP pool passes, answers and
exceptions where the interpreter leaves a handler, so a new step, queue or table is listened to by itself.
"""

import contextlib
import io
import json
import logging
import os
import sys
import traceback
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import boto3
import urllib3.connectionpool

from billfold.triggers import log
from functions.sandbox_bank import answer_bank_calls, send_bank_callbacks
from infra.plan.tables import TABLES
from tests.cloud import secret_store
from tests.cloud.engine import Engine
from tests.proof.wire import Wire
from tests.world import STEPS
from tests.world.machines import Machines

# What a step says to AWS in order to leave it there.
WRITING = {"PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "TransactWriteItems", "PutObject"}
# KMS computes with what it is given, and keeps nothing; its encryption context is in every audit log.
GIVEN_TO_KMS = {"Message", "Plaintext"}
ALLOWED = "asked of the bank"
POOL: Any = urllib3.connectionpool.HTTPConnectionPool
MONITOR = sys.monitoring
TOOL = 3


def rendered(value: Any) -> Iterator[str]:
    """Every text in a value: bytes as they are, JSON in texts as it is and as it reads."""
    if isinstance(value, dict):
        for name, part in value.items():
            yield from rendered(name)
            yield from rendered(part)
    elif isinstance(value, (list, tuple, set)):
        for part in value:
            yield from rendered(part)
    elif isinstance(value, (bytes, bytearray)):
        yield bytes(value).decode("latin-1")
    elif isinstance(value, str):
        yield value
        with contextlib.suppress(ValueError, RecursionError):
            inner = json.loads(value)
            if isinstance(inner, (dict, list)):
                yield json.dumps(inner, ensure_ascii=False)
    elif value is not None:
        yield str(value)


class Ear(logging.Handler):
    """Hears every record of every logger, whole, as Lambda would print it."""

    def __init__(self, lines: list[str]) -> None:
        super().__init__()
        self._lines = lines
        self.setFormatter(log.logger.registered_formatter)

    def emit(self, record: logging.LogRecord) -> None:
        self._lines.append(self.format(record))


class Sinks:
    """`texts`: what each kind of sink got, in order."""

    def __init__(self, engine: Engine, *banks: str) -> None:
        self.engine, self.banks = engine, banks
        self.texts: dict[str, list[str]] = defaultdict(list)
        self._ear = Ear(self.texts["logs"])
        self._out = io.StringIO()
        self._handlers = {module.handler.__code__ for module in STEPS.values()}
        self._handlers |= {module.handler.__code__ for module in (answer_bank_calls, send_bank_callbacks)}

    def hear(self, kind: str, value: Any) -> None:
        self.texts[kind] += rendered(value)

    def __enter__(self) -> "Sinks":
        self._stack = contextlib.ExitStack()
        self.wire = self._stack.enter_context(Wire())
        self._stack.enter_context(contextlib.redirect_stdout(self._out))
        self._stack.enter_context(contextlib.redirect_stderr(self._out))
        for logger in (logging.getLogger(), log.logger):
            logger.addHandler(self._ear)
            self._stack.callback(logger.removeHandler, self._ear)
        self._listen_to_http()
        self._listen_to_handlers()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()
        self.texts["logs"].append(self._out.getvalue())
        for call in self.wire.calls:
            self._note(call.service, call.action, call.arguments)

    def _note(self, service: str, action: str, arguments: dict[str, Any]) -> None:
        if action in WRITING:
            self.hear("writes", arguments)
        elif service == "sqs":
            self.hear("messages sent", arguments)
        elif service == "kms":
            kept = {name: part for name, part in arguments.items() if name not in GIVEN_TO_KMS}
            self.hear("told to KMS", kept)
        elif service == "stepfunctions":
            self.hear("told to machines", arguments)

    def _listen_to_http(self) -> None:
        real = POOL.urlopen

        def urlopen(pool: Any, method: str, url: str, *args: Any, **options: Any) -> Any:
            place = f"http://{pool.host}:{pool.port}"
            # Calls of AWS are heard at the client; their answers are botocore's to read.
            if place in (self.engine.url, os.environ[secret_store.ADDRESS]):
                return real(pool, method, url, *args, **options)
            self.hear(ALLOWED if place in self.banks else "callbacks", args or options.get("body"))
            self.hear("addresses and headers", [url, dict(options.get("headers") or {})])
            answer = real(pool, method, url, *args, **options)
            self.hear("answers over HTTP", [dict(answer.headers), answer.data])
            return answer

        POOL.urlopen = urlopen
        self._stack.callback(setattr, POOL, "urlopen", real)

    def _listen_to_handlers(self) -> None:
        """What handlers answer, and each exception that leaves one or ends in one, with its whole chain."""

        def returned(code: Any, offset: int, answer: Any) -> None:
            self.hear("answers", answer)

        def raised(code: Any, offset: int, fault: BaseException) -> None:
            if code in self._handlers or (code.co_name in ("handler", "one") and "billfold" in code.co_filename):
                self.texts["exceptions"] += [repr(fault), *traceback.format_exception(fault)]

        MONITOR.use_tool_id(TOOL, "sinks")
        self._stack.callback(MONITOR.free_tool_id, TOOL)
        MONITOR.register_callback(TOOL, MONITOR.events.PY_RETURN, returned)
        for event in (MONITOR.events.EXCEPTION_HANDLED, MONITOR.events.PY_UNWIND):
            MONITOR.register_callback(TOOL, event, raised)
        for code in self._handlers:
            MONITOR.set_local_events(TOOL, code, MONITOR.events.PY_RETURN)
            self._stack.callback(MONITOR.set_local_events, TOOL, code, 0)
        MONITOR.set_events(TOOL, MONITOR.events.EXCEPTION_HANDLED | MONITOR.events.PY_UNWIND)
        self._stack.callback(MONITOR.set_events, TOOL, 0)

    def collect(self, queues: Any, machines: Machines) -> None:
        """What rests now: every row of every table, every message of every queue, every history, every object."""
        for table in TABLES:
            self.hear(f"table {table.name}", self.engine.rows(table.name))
        for address in queues.list_queues().get("QueueUrls", []):
            while messages := queues.receive_message(QueueUrl=address, MaxNumberOfMessages=10).get("Messages"):
                self.hear("messages at rest", [address, *(message["Body"] for message in messages)])
        for execution in machines.executions.values():
            self.hear("histories", [execution.name, *machines.history(execution)])
        store = boto3.client("s3")
        for bucket in store.list_buckets()["Buckets"]:
            for found in store.list_objects_v2(Bucket=bucket["Name"]).get("Contents", []):
                kept = store.get_object(Bucket=bucket["Name"], Key=found["Key"])
                self.hear("objects", [found["Key"], kept["Metadata"], kept["Body"].read()])
