"""Warm steps: the CPU that a step spends itself, beside the AWS calls that it makes.

Each call is timed on its own thread's CPU clock, from the event to the answer, with its log line written. What is spent
within botocore and PynamoDB are the AWS calls. argon2 is slow on purpose, and signatures (a device's proof, one per tap)
take what OpenSSL takes: both stand apart. Budget: 0.5 ms of our own.
"""

import json
import os
import statistics
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from argon2 import PasswordHasher
from botocore.client import BaseClient
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pynamodb.attributes import AttributeContainer
from pynamodb.connection import Connection
from pynamodb.models import Model

from tests.bench import console
from tests.bench.occasions import Occasion, Occasions
from tests.bench.scale import scaled
from tests.cloud.engine import Engine

CALLS = scaled(30, 2)
BUDGET_MILLISECONDS = 0.5
NAMES = (
    "open_bill",
    "add_items",
    "close_bill",
    "verify_bill",
    "post_transfer",
    "refund_items",
    "dispute_item",
    "get_bill",
    "list_bills",
    "list_wallets",
    "list_wallet_entries",
    "get_merchant",
    "register_device",
)


WATCHED: dict[str, list[tuple[Any, str]]] = {
    "botocore": [(BaseClient, "_make_api_call")],
    "PynamoDB": [
        (AttributeContainer, "__init__"),
        (Connection, "dispatch"),
        (Connection, "transact_write_items"),
        (Model, "serialize"),
        (Model, "get_save_kwargs_from_instance"),
        (Model, "get_update_kwargs_from_instance"),
        (Model, "get_operation_kwargs_from_class"),
        (Model, "from_raw_data"),
    ],
    "argon2": [(PasswordHasher, "verify"), (PasswordHasher, "hash")],
}


class Meter:
    """`with Meter() as meter:` counts the CPU within these libraries' entries, nested ones apart. They are only watched."""

    def __init__(self) -> None:
        self.milliseconds = dict.fromkeys(WATCHED, 0.0)
        self.calls = 0
        self._within: list[float] = []

    def __enter__(self) -> "Meter":
        self._plain = [(owner, name, vars(owner)[name]) for entries in WATCHED.values() for owner, name in entries]
        for library, entries in WATCHED.items():
            for owner, name in entries:
                setattr(owner, name, self._watched(library, vars(owner)[name]))
        return self

    def __exit__(self, *_: object) -> None:
        for owner, name, plain in self._plain:
            setattr(owner, name, plain)

    def _watched(self, library: str, plain: Any) -> Any:
        bound = isinstance(plain, classmethod)
        function = plain.__func__ if bound else plain

        def watched(*arguments: Any, **options: Any) -> Any:
            self.calls += library == "botocore"
            self._within.append(0.0)
            started = time.thread_time()
            try:
                return function(*arguments, **options)
            finally:
                took = (time.thread_time() - started) * 1000
                self.milliseconds[library] += took - self._within.pop()
                if self._within:
                    self._within[-1] += took

        return classmethod(watched) if bound else watched


@dataclass
class Clock:
    """CPU milliseconds of a step's calls: within each library, and what is left, which is our own."""

    calls: int = 0
    own: list[float] = field(default_factory=list)
    within: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    def add(self, took: float, meter: Meter) -> None:
        self.calls = meter.calls
        self.own.append(took - sum(meter.milliseconds.values()))
        for library, spent in meter.milliseconds.items():
            self.within[library].append(spent)


def main() -> None:
    with Engine() as engine, console.silenced():
        os.environ["AWS_ENDPOINT_URL_DYNAMODB"] = engine.url
        engine.empty()
        occasions = Occasions()
        makers: dict[str, Callable[[], Occasion]] = {name: lambda name=name: occasions.make(name) for name in NAMES}  # type: ignore[misc]
        makers["add_items, 10 taps"] = lambda: occasions.add_items(10)
        makers["verify_bill, 40 items"] = lambda: occasions.verify_bill(40)
        with console.progress("warm calls", len(makers)) as advance:
            clocks = {}
            for name, make in makers.items():
                clocks[name] = measure(make)
                advance()
    _show(clocks)


def _signature_milliseconds() -> float:
    """The median CPU of checking one Ed25519 signature."""
    key, took = Ed25519PrivateKey.generate(), []
    public, signed, signature = key.public_key(), b"x" * 400, key.sign(b"x" * 400)
    for _ in range(200):
        started = time.thread_time()
        public.verify(signature, signed)
        took.append((time.thread_time() - started) * 1000)
    return statistics.median(took)


def _signatures(event: dict[str, Any]) -> int:
    """How many signatures a call makes its step check."""
    body = json.loads(event["body"] or "{}")
    taps = [item for item in body.get("items", ()) if isinstance(item, dict)]
    return ("DPoP" in event["headers"]) + len(taps)


def measure(make: Callable[[], Occasion], calls: int = CALLS) -> Clock:
    """The CPU of so many calls, each with an occasion of its own made beforehand."""
    signature = _signature_milliseconds()
    ready = [make() for _ in range(calls + 5)]
    clock = Clock()
    for number, (module, event) in enumerate(ready):
        with Meter() as meter:
            started = time.thread_time()
            answer = module.handler(event, None)
            took = (time.thread_time() - started) * 1000
        assert answer["statusCode"] < 300, answer
        # The first few fill caches, as a warm function has.
        if number >= 5:
            meter.milliseconds["signatures"] = signature * _signatures(event)
            clock.add(took, meter)
    return clock


def _show(clocks: dict[str, Clock]) -> None:
    rows = []
    for name, clock in clocks.items():
        libraries = [f"{statistics.median(spent):.2f}" for spent in clock.within.values()]
        over = "over" if statistics.median(clock.own) > BUDGET_MILLISECONDS else ""
        rows.append((name, str(clock.calls), *libraries, *console.spread(clock.own, 2), over))
    columns = (
        "ms of CPU",
        "calls",
        *WATCHED,
        "signatures",
        "own min",
        "own median",
        "own max",
        f"budget {BUDGET_MILLISECONDS}",
    )
    console.table("Warm steps: the AWS calls (botocore, PynamoDB), argon2, and a step's own CPU", columns, rows)
