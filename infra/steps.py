"""The steps: what `app.py` ties to what, and what each step's header says it may touch.

    May   bills PutItem Query UpdateItem Query:by_owner; merchants BatchGetItem; queue due-bills

A table with the actions on it (`Action:index` is on that index alone), `queue` and its name, `postpone` and its queue (it leaves a
message there for later), `kms` and its actions (`Action:kind`: for what is sealed as that kind of thing), `bucket` or `machine`
with its name and actions, `bank` (it calls banks), `issuers` (it looks up which bank serves a card), `top_ups` (it knows how much
may be topped up), `reader` (it reads pictures), `generations` (it tells the vault's keys apart without using them), or `nothing`.
The roles are made from this line; a test compares it with what the code does. A last field, `Layers`, names layers that this
function carries besides the two that all have.
"""

import ast
import importlib
import inspect
import json
import re
import sys
import types
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from infra import tables
from infra.stages import ROOT

# Queues in which a log's messages keep their order, one receiver at a time: FIFO.
ORDERED_QUEUES = ("feeds", "statements")
QUEUES = (
    *ORDERED_QUEUES,
    "due-holds",
    "due-bills",
    "due-photos",
    "due-cards",
    "authentications",
    "answers",
    "withdrawals",
    "charges",
    "comparisons",
    "reseals",
)
# Where rests what no step of a stream could forward; each queue has a dead-letter queue of its own, `<queue>-dead`.
STREAMS_DEAD = "streams-dead"
BUCKETS = ("photos",)
# The sandbox bank is no part of Billfold: it has no place in its contract, map and proofs, and never meets production.
SANDBOX_BANK = "sandbox_bank"
SANDBOX_QUEUES = ("bank-callbacks",)


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
    """Messages of a queue, at most `batch` a call and `at_once` calls."""

    name: str
    batch: int
    at_once: int

    def __str__(self) -> str:
        return f"queue {self.name}"


@dataclass(frozen=True)
class Stream:
    """Changes of a table, at most `batch` at once."""

    table: str
    batch: int

    def __str__(self) -> str:
        return f"stream {self.table}"


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
    """Objects put into a bucket."""

    bucket: str

    def __str__(self) -> str:
        return f"upload {self.bucket}"


@dataclass(frozen=True)
class Task:
    """A task of a state machine, `infra/<machine>.asl.json`, which names it by its function."""

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


@dataclass(frozen=True)
class May:
    """What a step may do: DynamoDB actions by (table, index or empty), the queues it may send to and postpone messages of, KMS
    actions, actions by bucket and by state machine, and whether it calls banks, looks up which one serves a card, knows the maxima
    of top-ups, calls a reader of pictures, or asks for the generations of keys alone."""

    actions: dict[tuple[str, str], tuple[str, ...]]
    queues: tuple[str, ...] = ()
    postpones: tuple[str, ...] = ()
    kms: tuple[str, ...] = ()
    buckets: dict[str, tuple[str, ...]] = field(default_factory=dict)
    machines: dict[str, tuple[str, ...]] = field(default_factory=dict)
    bank: bool = False
    issuers: bool = False
    top_ups: bool = False
    reader: bool = False
    generations: bool = False


@dataclass(frozen=True)
class Step:
    """One step: a file, a Lambda function. `signs_cursors`: it needs the stage's key for list cursors; `verifies_proofs`: it
    needs the stage's addresses, for which devices sign; `seals_fingerprints`: it needs the key for what could be guessed."""

    name: str
    workflow: str
    trigger: Trigger
    header: dict[str, str]
    may: May
    signs_cursors: bool
    verifies_proofs: bool
    seals_fingerprints: bool

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

    @property
    def dead_letters(self) -> str:
        """The dead-letter queue to which it sends what it can never handle; empty where only SQS does."""
        if isinstance(self.trigger, Stream):
            return STREAMS_DEAD
        if isinstance(self.trigger, Queue) and self.trigger.name in ORDERED_QUEUES:
            return f"{self.trigger.name}-dead"
        return ""

    @property
    def layers(self) -> tuple[str, ...]:
        """The layers that this function carries besides the two that all have."""
        return tuple(self.header.get("Layers", "").split())

    def function(self, prefix: str) -> str:
        """The name of its Lambda function."""
        return f"{prefix}-{self.name.replace('_', '-')}"


def load(*, sandbox_bank: bool = False) -> list[Step]:
    """Every step of the map, in the order of its folders, with the sandbox bank's where a sandbox stage is deployed;
    ValueError when a header says what cannot be."""
    declared = _map()
    found = _triggers(declared.app) | _bank_triggers(declared.bank)
    modules = [module for module in vars(declared).values() if _is_step(module)]
    steps = [_step(module, found[module.__name__.rpartition(".")[2]]) for module in modules]
    chosen = [step for step in steps if sandbox_bank or step.workflow != SANDBOX_BANK]
    return sorted(chosen, key=lambda step: (step.workflow, step.name))


def queue_name(prefix: str, queue: str) -> str:
    """A queue's name in its stage; a FIFO queue's ends as SQS wants, and so does its dead-letter queue's."""
    return f"{prefix}-{queue}" + (".fifo" if queue.removesuffix("-dead") in ORDERED_QUEUES else "")


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
    """A header's `May` line, understood; ValueError when it names a table, index, action or thing that does not exist."""
    actions: dict[tuple[str, str], tuple[str, ...]] = {}
    named: dict[str, dict[str, tuple[str, ...]]] = {"bucket": {}, "machine": {}}
    lists: dict[str, list[str]] = {"queue": [], "postpone": [], "kms": [], "nothing": []}
    alone = dict.fromkeys(("bank", "issuers", "top_ups", "reader", "generations"), False)
    for clause in text.split(";"):
        subject, *words = clause.split()
        if not words and subject not in {*alone, "nothing"}:
            raise ValueError(f"May names {subject!r} and nothing to do with it")
        if subject in named:
            named[subject][words[0]] = tuple(words[1:])
        elif subject in lists:
            lists[subject] += words
        elif subject in alone:
            alone[subject] = True
        else:
            for action, index in _on_table(subject, words):
                actions[subject, index] = (*actions.get((subject, index), ()), action)
    for kind, known in (("bucket", BUCKETS), ("machine", machines())):
        if unknown := set(named[kind]) - set(known):
            raise ValueError(f"May names a {kind} that does not exist: {', '.join(sorted(unknown))}")
    if unknown := {*lists["queue"], *lists["postpone"]} - {*QUEUES, *SANDBOX_QUEUES}:
        raise ValueError(f"May names queues that do not exist: {', '.join(sorted(unknown))}")
    queues, postpones, kms = (tuple(lists[kind]) for kind in ("queue", "postpone", "kms"))
    return May(actions, queues, postpones, kms, named["bucket"], named["machine"], **alone)


def _on_table(subject: str, words: list[str]) -> Iterator[tuple[str, str]]:
    known = {(table.name, "") for table in tables.TABLES}
    known |= {(table.name, index.name) for table in tables.TABLES for index in table.indexes}
    for word in words:
        action, _, index = word.partition(":")
        if (subject, index) not in known or not re.fullmatch(r"[A-Z][A-Za-z]+", action):
            raise ValueError(f"May says {word!r} on {subject!r}, which does not exist")
        yield action, index


def machines() -> dict[str, dict[str, Any]]:
    """The state machines by name, as their files define them."""
    found = sorted((ROOT / "infra").glob("*.asl.json"))
    return {path.name.removesuffix(".asl.json"): json.loads(path.read_text()) for path in found}


def tasks(machine: dict[str, Any]) -> set[str]:
    """The steps that a state machine calls, named in its file as `${step}`."""
    return set(re.findall(r"\$\{(\w+)\}", json.dumps(machine)))


def _map() -> Any:
    for path in map(str, (ROOT, ROOT / "layers/billfold/python", ROOT / "layers/sandbox_bank/python")):
        if path not in sys.path:
            sys.path.insert(0, path)
    return importlib.import_module("app")


def _is_step(module: Any) -> bool:
    return isinstance(module, types.ModuleType) and module.__name__.startswith("functions.")


def _triggers(declared: Any) -> dict[str, Trigger]:
    found: dict[str, Trigger] = {}
    for path, methods in declared.routes.items():
        for method, entry in methods.items():
            found[entry.view_name] = Route(method, path, entry.authorizer is not None)
    for source in declared.event_sources:
        found[source.name] = _event_source(source)
    for name, machine in machines().items():
        found |= dict.fromkeys(tasks(machine), Task(name))
    return found


def _bank_triggers(declared: Any) -> dict[str, Trigger]:
    found: dict[str, Trigger] = {source.name: _event_source(source) for source in declared.event_sources}
    routes: dict[str, list[Route]] = {}
    for path, methods in declared.routes.items():
        for method, entry in methods.items():
            routes.setdefault(entry.view_name, []).append(Route(method, path, signed_in=False))
    return found | {name: BankCalls(tuple(own)) for name, own in routes.items()}


def _event_source(source: Any) -> Trigger:
    if hasattr(source, "queue"):
        return Queue(source.queue.removeprefix("billfold-"), source.batch_size, source.maximum_concurrency)
    if hasattr(source, "bucket"):
        return Upload(source.bucket.removeprefix("billfold-"))
    if hasattr(source, "stream_arn"):
        table = re.search(r":table/billfold-([\w-]+)/stream", source.stream_arn)
        assert table, "app.py names streams after their tables"
        return Stream(table[1], source.batch_size)
    expression = source.schedule_expression
    return Schedule(expression if isinstance(expression, str) else expression.to_string())


def _step(module: types.ModuleType, trigger: Trigger) -> Step:
    _, workflow, name = module.__name__.split(".")
    fields = header(module.__doc__ or "")
    # Not imported above: only `_map` makes the layer importable.
    fingerprints = importlib.import_module("billfold.triggers.fingerprints")
    body = getattr(getattr(module, "handler", None), "body", None)
    return Step(
        name,
        workflow,
        trigger,
        fields,
        permissions(fields["May"]),
        _imports(module, "billfold.triggers.lists"),
        _imports(module, "billfold.triggers.proof"),
        bool(fingerprints.marked(body, "sealed")) or _imports(module, "billfold.card_photos.confirmations"),
    )


def _imports(module: types.ModuleType, wanted: str) -> bool:
    tree = ast.parse(inspect.getsource(module))
    named = [(node.module, node.names) for node in tree.body if isinstance(node, ast.ImportFrom)]
    return any(f"{module}.{alias.name}" == wanted for module, names in named for alias in names)
