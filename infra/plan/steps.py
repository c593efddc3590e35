"""The steps: what `app.py` ties to what, and what each step's header says it may touch.

Two last fields of the header are there where they are needed: `Layers` names layers that this function has besides the two of
every function, `Carries` files that its package holds besides the step's own.
"""

import importlib
import inspect
import re
import sys
import types
from dataclasses import dataclass
from typing import Any

from billfold.triggers import fingerprints, lists
from infra.plan import triggers
from infra.plan.permissions import May, permissions
from infra.plan.queues import ORDERED_QUEUES, STREAMS_DEAD
from infra.plan.stages import ROOT
from infra.plan.triggers import Queue, Stream, Trigger

# The sandbox bank is no part of Billfold: it has no place in its contract, map and proofs, and never meets production.
SANDBOX_BANK = "sandbox_bank"


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

    @property
    def carries(self) -> tuple[str, ...]:
        """The files besides its own that its package holds, from the root of the project."""
        return tuple(self.header.get("Carries", "").split())

    def function(self, prefix: str) -> str:
        """The name of its Lambda function."""
        return f"{prefix}-{self.name.replace('_', '-')}"


def load(*, sandbox_bank: bool = False) -> list[Step]:
    """Every step of the map, in the order of its folders, with the sandbox bank's where a sandbox stage is deployed;
    ValueError when a header says what cannot be."""
    declared = _map()
    found = triggers.of_app(declared.app) | triggers.of_bank(declared.bank)
    modules = [module for module in vars(declared).values() if _is_step(module)]
    steps = [_step(module, found[module.__name__.rpartition(".")[2]]) for module in modules]
    chosen = [step for step in steps if sandbox_bank or step.workflow != SANDBOX_BANK]
    return sorted(chosen, key=lambda step: (step.workflow, step.name))


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


def _map() -> Any:
    if str(ROOT) not in sys.path:
        sys.path.insert(0, str(ROOT))
    return importlib.import_module("app")


def _is_step(module: Any) -> bool:
    return isinstance(module, types.ModuleType) and module.__name__.startswith("functions.")


def _step(module: types.ModuleType, trigger: Trigger) -> Step:
    _, workflow, name = module.__name__.split(".")
    fields = header(module.__doc__ or "")
    handler = module.handler
    return Step(
        name,
        workflow,
        trigger,
        fields,
        permissions(fields["May"]),
        lists.CURSOR in getattr(handler, "query", ()),
        getattr(handler, "proof", False),
        bool(fingerprints.marked(getattr(handler, "body", None), "sealed")) or getattr(handler, "seals", False),
    )
