"""The steps: what `app.py` ties to what, and what each step's header says it may touch.

    May   bills PutItem Query UpdateItem Query:by_owner; merchants BatchGetItem; queue due-bills

A table with the actions on it (`Action:index` is on that index alone), `queue` and its name, or `nothing`. The roles are
made from this line; a test compares it with what the code does.
"""

import ast
import importlib
import inspect
import re
import sys
import types
from dataclasses import dataclass
from typing import Any

from infra import tables
from infra.stages import ROOT

QUEUES = ("transfers", "due-holds", "due-bills", "events")


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
    """Messages of a queue, at most `batch` at once."""

    name: str
    batch: int

    def __str__(self) -> str:
        return f"queue {self.name}"


@dataclass(frozen=True)
class Stream:
    """Changes of a table, at most `batch` at once."""

    table: str
    batch: int

    def __str__(self) -> str:
        return f"stream {self.table}"


@dataclass(frozen=True)
class Schedule:
    """Time, as a rate or cron expression."""

    expression: str

    def __str__(self) -> str:
        return self.expression


Trigger = Route | Queue | Stream | Schedule


@dataclass(frozen=True)
class May:
    """What a step may do: DynamoDB actions by (table, index or empty), and the queues it may send to."""

    actions: dict[tuple[str, str], tuple[str, ...]]
    queues: tuple[str, ...]


@dataclass(frozen=True)
class Step:
    """One step: a file, a Lambda function. `signs_cursors`: it needs the stage's key for list cursors."""

    name: str
    workflow: str
    trigger: Trigger
    header: dict[str, str]
    may: May
    signs_cursors: bool

    @property
    def path(self) -> str:
        """The step's file, from the root of the project."""
        return f"functions/{self.workflow}/{self.name}.py"

    @property
    def handler(self) -> str:
        return f"functions/{self.workflow}/{self.name}.handler"

    @property
    def summary(self) -> str:
        return self.header["summary"]

    def function(self, prefix: str) -> str:
        """The name of its Lambda function."""
        return f"{prefix}-{self.name.replace('_', '-')}"


def load() -> list[Step]:
    """Every step of the map, in the order of its folders; ValueError when a header says what cannot be."""
    found = _triggers(_map())
    modules = [module for module in vars(_map()).values() if _is_step(module)]
    steps = [_step(module, found[module.__name__.rpartition(".")[2]]) for module in modules]
    return sorted(steps, key=lambda step: (step.workflow, step.name))


def by_workflow(steps: list[Step]) -> dict[str, list[Step]]:
    """The steps of each workflow."""
    return {
        name: [step for step in steps if step.workflow == name] for name in sorted({step.workflow for step in steps})
    }


def header(text: str) -> dict[str, str]:
    """A step's docstring as fields; the first paragraph is its `summary`. A field may go on in lines that are indented."""
    summary, _, rest = inspect.cleandoc(text).partition("\n\n")
    fields = {"summary": " ".join(summary.split())}
    name = ""
    for line in rest.splitlines():
        match = re.match(r"([A-Z][a-z]+)\s{2,}(\S.*)", line)
        if match:
            name = match[1]
            fields[name] = match[2].strip()
        elif line.startswith(" ") and name:
            fields[name] += " " + line.strip()
    return fields


def permissions(text: str) -> May:
    """A header's `May` line, understood; ValueError when it names a table, index, action or queue that does not exist."""
    actions: dict[tuple[str, str], tuple[str, ...]] = {}
    queues: list[str] = []
    indexes = {(table.name, index.name) for table in tables.TABLES for index in table.indexes}
    known = indexes | {(table.name, "") for table in tables.TABLES}
    for clause in text.split(";"):
        subject, *words = clause.split()
        if subject == "queue":
            queues += words
        elif subject != "nothing":
            for word in words:
                action, _, index = word.partition(":")
                if (subject, index) not in known or not re.fullmatch(r"[A-Z][A-Za-z]+", action):
                    raise ValueError(f"May says {word!r} on {subject!r}, which does not exist")
                actions[subject, index] = (*actions.get((subject, index), ()), action)
    if unknown := set(queues) - set(QUEUES):
        raise ValueError(f"May names queues that do not exist: {', '.join(sorted(unknown))}")
    return May(actions, tuple(queues))


def _map() -> Any:
    for path in (str(ROOT), str(ROOT / "layers/billfold/python")):
        if path not in sys.path:
            sys.path.insert(0, path)
    return importlib.import_module("app")


def _is_step(module: Any) -> bool:
    return isinstance(module, types.ModuleType) and module.__name__.startswith("functions.")


def _triggers(declared: Any) -> dict[str, Trigger]:
    found: dict[str, Trigger] = {}
    for path, methods in declared.app.routes.items():
        for method, entry in methods.items():
            found[entry.view_name] = Route(method, path, entry.authorizer is not None)
    for source in declared.app.event_sources:
        found[source.name] = _event_source(source)
    return found


def _event_source(source: Any) -> Trigger:
    if hasattr(source, "queue"):
        return Queue(source.queue.removeprefix("billfold-"), source.batch_size)
    if hasattr(source, "stream_arn"):
        table = re.search(r":table/billfold-([\w-]+)/stream", source.stream_arn)
        assert table, "app.py names streams after their tables"
        return Stream(table[1], source.batch_size)
    expression = source.schedule_expression
    return Schedule(expression if isinstance(expression, str) else expression.to_string())


def _step(module: types.ModuleType, trigger: Trigger) -> Step:
    _, workflow, name = module.__name__.split(".")
    fields = header(module.__doc__ or "")
    return Step(name, workflow, trigger, fields, permissions(fields["May"]), _imports_lists(module))


def _imports_lists(module: types.ModuleType) -> bool:
    tree = ast.parse(inspect.getsource(module))
    imports = [node for node in tree.body if isinstance(node, ast.ImportFrom) and node.module == "billfold.triggers"]
    return any(alias.name == "lists" for node in imports for alias in node.names)
