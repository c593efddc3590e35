"""Cost per operation with a thousand rows and with a million: units, calls and time must not grow with the tables.

The engine counts units exactly as DynamoDB does. Rows of others fill the tables: wallets, transfers, bills with their
changes, people and statements; the operations then run on a few people and bills of their own.
"""

import gzip
import json
import os
import pathlib
import shutil
import socket
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import boto3

from billfold.tables import rows
from infra.plan.tables import TABLES
from tests.bench import console
from tests.bench.occasions import Occasion, Occasions
from tests.bench.scale import scaled
from tests.bench.tables import create_tables
from tests.cloud.engine import Engine, binary

SIZES = scaled((1_000, 1_000_000), (100, 1_000))
CALLS, WARMING = scaled((25, 3), (2, 1))
OPERATIONS = {
    "open a bill": "open_bill",
    "add an item": "add_items",
    "close": "close_bill",
    "verify and pay": "verify_bill",
    "transfer": "post_transfer",
    "list bills": "list_bills",
    "list wallets": "list_wallets",
    "list entries": "list_wallet_entries",
}


@dataclass
class Cost:
    """What an operation took: units per call, calls of AWS, milliseconds within them."""

    writes: float = 0.0
    reads: float = 0.0
    calls: int = 0
    milliseconds: list[float] = field(default_factory=list)


class Counter:
    """Adds up the units of every call that the one connection makes."""

    def __init__(self, client: Any) -> None:
        self.reset()
        self._began = 0.0
        client.meta.events.register("before-parameter-build.dynamodb", self._ask)
        client.meta.events.register("after-call.dynamodb", self._count)

    def reset(self) -> None:
        self.writes = self.reads = self.seconds = 0.0
        self.calls = 0

    def _ask(self, params: dict[str, Any], **_: Any) -> None:
        params["ReturnConsumedCapacity"] = "TOTAL"
        self._began = time.perf_counter()

    def _count(self, parsed: dict[str, Any], model: Any, **_: Any) -> None:
        self.calls += 1
        self.seconds += time.perf_counter() - self._began
        consumed = parsed.get("ConsumedCapacity") or []
        for part in consumed if isinstance(consumed, list) else [consumed]:
            if "Write" in model.name:
                self.writes += part["CapacityUnits"]
            else:
                self.reads += part["CapacityUnits"]


def main() -> None:
    with ExitStack() as stack:
        folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory()))
        urls = [stack.enter_context(Filled(folder, size)) for size in SIZES]
        stack.enter_context(console.silenced())
        sides = [Side(url) for url in urls]
        with console.progress("operations", len(OPERATIONS)) as advance:
            for label, name in OPERATIONS.items():
                for side in sides:
                    side.prepare(label, name)
                # In turns, so that a busy machine slows both.
                for _ in range(CALLS + WARMING):
                    for side in sides:
                        side.call(label)
                advance()
    _show(*(side.costs for side in sides))


class Side:
    """The operations on one of the engines, with a connection of its own."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._turn()
        self._occasions = Occasions()
        self._counter = Counter(rows.connection().client)
        self._ready: list[Occasion] = []
        self.costs: dict[str, Cost] = {}

    def _turn(self) -> None:
        """Steps call this engine from here on."""
        os.environ["AWS_ENDPOINT_URL_DYNAMODB"] = self._url

    def prepare(self, label: str, name: str) -> None:
        self._turn()
        self._ready = [self._occasions.make(name) for _ in range(CALLS + WARMING)]
        self.costs[label] = Cost()

    def call(self, label: str) -> None:
        self._turn()
        (module, event), cost, counter = self._ready.pop(), self.costs[label], self._counter
        counter.reset()
        answer = module.handler(event, None)
        assert answer["statusCode"] < 300, answer
        if len(self._ready) < CALLS:
            cost.milliseconds.append(counter.seconds * 1000)
        cost.writes, cost.reads, cost.calls = counter.writes, counter.reads, counter.calls


def _show(before: dict[str, Cost], after: dict[str, Cost]) -> None:
    few, many = SIZES
    lines = []
    for label, cost in before.items():
        grown = after[label]
        ratio = statistics.median(grown.milliseconds) / statistics.median(cost.milliseconds)
        units = zip(_units(cost), _units(grown), strict=True)
        lines.append(
            (
                label,
                *(f"{was:g} → {now:g}" for was, now in units),
                " / ".join(console.spread(cost.milliseconds, 2)),
                " / ".join(console.spread(grown.milliseconds, 2)),
                f"{ratio:.2f}",
            )
        )
    columns = ("operation", "write units", "read units", "calls", f"ms, {few:,} rows", f"ms, {many:,} rows", "ratio")
    note = "ms: minimum / median / maximum within the AWS calls"
    console.table(f"Cost of an operation with {few:,} rows and with {many:,}", columns, lines, note)


def _units(cost: Cost) -> tuple[float, float, int]:
    return cost.writes, cost.reads, cost.calls


# ------------------------------------------------------------------------------------------------------------- loading


class Filled:
    """`with Filled(folder, size) as url:` runs the engine on a file that holds so many rows of other people."""

    def __init__(self, folder: pathlib.Path, size: int) -> None:
        self._file = folder / f"{size}.db"
        with Engine() as empty, console.progress(f"{size:,} rows", 2) as advance:
            _export(folder / "export", empty, size)
            advance()
            command = [binary(), "import", "--source", str(folder / "export"), "--output", str(self._file)]
            command += ["--schema", str(folder / "export/schema.json")]
            subprocess.run(command, check=True, capture_output=True)
            advance()

    def __enter__(self) -> str:
        """The engine's address."""
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        command = [binary(), "serve", "--port", str(port), "--db-path", str(self._file)]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return self._with_all_tables(f"http://127.0.0.1:{port}")
            time.sleep(0.02)
        raise RuntimeError("dynoxide did not start")

    def _with_all_tables(self, url: str) -> str:
        """An import leaves out tables without rows."""
        create_tables(boto3.client("dynamodb", endpoint_url=url))
        return url

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(10)


def _export(folder: pathlib.Path, empty: Engine, size: int) -> None:
    """The rows in the shape of DynamoDB's exports, which the engine imports far faster than it takes writes."""
    create_tables(empty.client)
    schema = [empty.client.describe_table(TableName=f"billfold-{table.name}") for table in TABLES]
    shutil.rmtree(folder, ignore_errors=True)
    with ExitStack() as stack:
        files: dict[str, Any] = {}
        for table in sorted({kind(0)[0] for kind in KINDS}):
            part = folder / f"billfold-{table}/data/part.json.gz"
            part.parent.mkdir(parents=True)
            files[table] = stack.enter_context(gzip.open(part, "wt", compresslevel=1))
        for number in range(size // len(KINDS)):
            for table, row in (kind(number) for kind in KINDS):
                files[table].write(json.dumps({"Item": row}) + "\n")
    tables = [{"Table": described["Table"]} for described in schema]
    (folder / "schema.json").write_text(json.dumps(tables, default=lambda moment: moment.timestamp()))


def _row(table: str, pk: str, sk: str, numbers: dict[str, int], **texts: str) -> tuple[str, dict[str, Any]]:
    row = {"pk": {"S": pk}, "sk": {"S": sk}} | {name: {"S": text} for name, text in texts.items()}
    return table, row | {name: {"N": str(value)} for name, value in numbers.items()}


# Keys that spread as real ones do: a multiplicative hash of the number.
def _key(prefix: str, number: int) -> str:
    return f"{prefix}_{number * 0x9E3779B97F4A7C15 % 2**64:016x}{number:016x}"


def _wallet(number: int) -> tuple[str, dict[str, Any]]:
    return _row("ledger", f"wallet/{_key('usr', number)}", "USD", {"available": number, "held": 0})


def _transfer(number: int) -> tuple[str, dict[str, Any]]:
    legs = json.dumps([[f"wallet/{_key('usr', number)}/USD", -5], [f"wallet/{_key('usr', number + 5)}/USD", 5]])
    return _row(
        "ledger", _key("trf", number), "transfer", {"at": 1_790_000_000_000 + number}, legs=legs, reason="lunch"
    )


def _head(number: int) -> tuple[str, dict[str, Any]]:
    at = 1_790_000_000_000 + number
    numbers = {"revision": 3, "total": 880, "opened_at": at, "expires_at": at + 60_000, "late_until": at + 660_000}
    due = {"due_shard": f"bills#{number % 8}", "state": "active"} if number % 100 == 0 else {"state": "settled"}
    numbers |= {"due_at": at + 10**12} if number % 100 == 0 else {}
    texts = {"owner": _key("usr", number // 50), "device": _key("dev", number), "currency": "USD"} | due
    return _row("bills", _key("bil", number), "#", numbers, **texts)


def _person(number: int) -> tuple[str, dict[str, Any]]:
    return _row(
        "people", _key("usr", number), "user", {"joined_at": 1_790_000_000_000, "pin_tries": 0}, pin_hash="x" * 96
    )


def _entry(number: int) -> tuple[str, dict[str, Any]]:
    account = f"wallet/{_key('usr', number)}/USD"
    return _row(
        "statements", account, f"{1_790_000_000_000 + number}#{_key('trf', number)}", {"amount": 5}, reason="lunch"
    )


KINDS: tuple[Callable[[int], tuple[str, dict[str, Any]]], ...] = (_wallet, _transfer, _head, _person, _entry)
