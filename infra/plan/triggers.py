"""What starts a step, as `app.py` declares it: a call, a queue, a stream, time, an upload, a state machine.

The queues, the buckets for uploads and the tables with a stream are those that some step is started by: `every(Queue)`.
"""

import importlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar

from infra.plan.state_machines import machines, tasks


@dataclass(frozen=True)
class Route:
    """An HTTP call. `signed_in`: the gateway asks for a token first."""

    method: str
    path: str
    signed_in: bool

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


@dataclass(frozen=True)
class Queue:
    """Messages of a queue, at most `batch` a call and `at_once` calls. `ordered`: its messages keep their order within a group."""

    name: str
    batch: int
    at_once: int
    ordered: bool

    def __str__(self) -> str:
        return f"queue {self.name}"


@dataclass(frozen=True)
class Stream:
    """Changes of a table, at most `batch` at once."""

    table: str
    batch: int

    def __str__(self) -> str:
        return f"stream {self.table}"


# How SQS wants the name of a queue that keeps an order to end.
FIFO = ".fifo"
DAILY = "cron(10 2 * * ? *)"
TIMES = {"rate(1 minute)": "every minute", "rate(10 minutes)": "every ten minutes", DAILY: "every day at 02:10 UTC"}


@dataclass(frozen=True)
class Schedule:
    """Time, as a rate or cron expression."""

    expression: str

    def __str__(self) -> str:
        return TIMES[self.expression]


@dataclass(frozen=True)
class Upload:
    """Objects put into a bucket, where they lie for `keep_days` at most."""

    bucket: str
    keep_days: int

    def __str__(self) -> str:
        return f"upload {self.bucket}"


@dataclass(frozen=True)
class Task:
    """A task of a state machine, `infra/plan/<machine>.asl.json`, which names it by its function."""

    machine: str

    def __str__(self) -> str:
        return f"task {self.machine}"


@dataclass(frozen=True)
class BankCalls:
    """All calls of the sandbox bank's API, which go to one step."""

    routes: tuple[Route, ...]

    def __str__(self) -> str:
        return "the sandbox bank's API"


Trigger = BankCalls | Route | Queue | Stream | Schedule | Upload | Task


Kind = TypeVar("Kind")


def the_map() -> Any:
    """`app.py`, which is imported only when somebody asks: it imports every step."""
    return importlib.import_module("app")


@cache
def every(kind: type[Kind], *, sandbox_bank: bool = True) -> tuple[Kind, ...]:
    """The triggers of one kind in the order of `app.py`, with the sandbox bank's at the end."""
    found = [*of_app(), *(of_bank() if sandbox_bank else ())]
    return tuple(trigger for _, trigger in found if isinstance(trigger, kind))


def of_app() -> Iterator[tuple[str, Trigger]]:
    """Each step's name with what starts it; twice for a step that is tied twice."""
    declared = the_map().app
    for path, methods in declared.routes.items():
        for method, entry in methods.items():
            yield entry.view_name, Route(method, path, entry.authorizer is not None)
    for source in declared.event_sources:
        yield source.name, _event_source(source)
    functions = {function.name for function in declared.pure_lambda_functions}
    for name, machine in machines().items():
        for task in tasks(machine) & functions:
            yield task, Task(name)


def of_bank() -> Iterator[tuple[str, Trigger]]:
    """The same of the sandbox bank, whose routes all go to one step."""
    declared = the_map().bank
    for source in declared.event_sources:
        yield source.name, _event_source(source)
    routes: dict[str, list[Route]] = {}
    for path, methods in declared.routes.items():
        for method, entry in methods.items():
            routes.setdefault(entry.view_name, []).append(Route(method, path, signed_in=False))
    for name, own in routes.items():
        yield name, BankCalls(tuple(own))


def _event_source(source: Any) -> Trigger:
    if hasattr(source, "queue"):
        name = source.queue.removeprefix("billfold-")
        ordered = name.endswith(FIFO)
        return Queue(name.removesuffix(FIFO), source.batch_size, source.maximum_concurrency, ordered)
    if hasattr(source, "bucket"):
        bucket = source.bucket.removeprefix("billfold-")
        return Upload(bucket, the_map().kept_days[bucket])
    if hasattr(source, "stream_arn"):
        table = re.search(r":table/billfold-([\w-]+)/stream", source.stream_arn)
        assert table, "app.py names streams after their tables"
        return Stream(table[1], source.batch_size)
    expression = source.schedule_expression
    return Schedule(expression if isinstance(expression, str) else expression.to_string())
