"""The steps: what `app.py` ties to what, and what each step's header says it may touch (`infra.plan.headers`)."""

import ast
import pathlib
import types
from dataclasses import dataclass
from typing import Any

from billfold.triggers import fingerprints, lists
from infra.failures import Failure
from infra.plan import headers, tables, triggers
from infra.plan.permissions import May, permissions
from infra.plan.queues import STREAMS_DEAD
from infra.plan.settings import DEFAULT, Settings, settings
from infra.plan.stages import ROOT, Stage
from infra.plan.triggers import Queue, Route, Stream, Trigger

# The sandbox bank is no part of Billfold: it has no place in its contract, map and tests of promises, and never meets production.
SANDBOX_BANK = "sandbox_bank"


class Misdeclared(Failure):
    """Steps whose header, file or line in app.py is wrong; the text names each file and its mend."""


@dataclass(frozen=True)
class Step:
    """One step: a file, a Lambda function. `signs_cursors`: it needs the stage's key for list cursors; `verifies_dpop`: it
    needs the stage's addresses, for which devices sign; `seals_fingerprints`: it needs the key for what could be guessed."""

    name: str
    workflow: str
    trigger: Trigger
    header: dict[str, str]
    may: May
    runs: Settings
    signs_cursors: bool
    verifies_dpop: bool
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
        if isinstance(self.trigger, Queue) and self.trigger.ordered:
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

    def settings(self, stage: Stage) -> Settings:
        """What its function gets in a stage."""
        return self.runs.changed(stage.functions.get(self.name, {}))

    def function(self, prefix: str) -> str:
        """The name of its Lambda function."""
        return f"{prefix}-{self.name.replace('_', '-')}"


def load(*, sandbox_bank: bool = False) -> list[Step]:
    """Every step of the map, in the order of its folders, with the sandbox bank's where a sandbox stage is deployed;
    Misdeclared when any step is declared wrongly."""
    _, faults = survey()
    if faults:
        raise Misdeclared("; ".join(f"{path}: {fault}" for path in sorted(faults) for fault in faults[path]))
    return known(sandbox_bank=sandbox_bank)


def known(*, sandbox_bank: bool = False) -> list[Step]:
    """As `load`, but with those that are declared wrongly: for tests, which go on and report every fault."""
    steps, _ = survey()
    return [step for step in steps if sandbox_bank or step.workflow != SANDBOX_BANK]


def survey() -> tuple[list[Step], dict[str, list[str]]]:
    """The steps that app.py ties to a trigger, as far as they are understood; and by file what is wrong with those that are
    declared wrongly, each fault with its mend."""
    tied = [*triggers.of_app(), *triggers.of_bank()]
    declared = vars(triggers.the_map()).values()
    modules = {f"{one.__name__.replace('.', '/')}.py": one for one in declared if _is_step(one)}
    files = {str(file.relative_to(ROOT)) for file in (ROOT / "functions").glob("*/*.py")}
    steps: list[Step] = []
    faults: dict[str, list[str]] = {}
    for path in sorted(files):
        own = [trigger for name, trigger in tied if name == pathlib.Path(path).stem]
        if path not in modules or not own:
            faults[path] = [_untied(path)]
        elif not _fits(getattr(modules[path], "handler", None), own[0]):
            faults[path] = ["give it a function `handler` under the decorator of its trigger, such as @http.step(…)"]
        else:
            step, found = _step(modules[path], own)
            steps.append(step)
            faults |= {path: found} if found else {}
    return steps, faults


def by_workflow(steps: list[Step]) -> dict[str, list[Step]]:
    """The steps of each workflow."""
    return {
        name: [step for step in steps if step.workflow == name] for name in sorted({step.workflow for step in steps})
    }


def _is_step(module: Any) -> bool:
    return isinstance(module, types.ModuleType) and module.__name__.startswith("functions.")


def _untied(path: str) -> str:
    _, workflow, name = path.removesuffix(".py").split("/")
    line = headers.line_of(headers.parse(ast.get_docstring(ast.parse((ROOT / path).read_text())) or ""), name)
    named = f"name it as ${{{name}}} in a machine of infra/plan, and " if line.startswith("task") else ""
    return f"{named}tie it in app.py: add {name} to `from functions.{workflow} import …`, and the line {line}"


def _fits(handler: Any, trigger: Trigger) -> bool:
    """Whether a handler is there and, for a call, made by `http.step`, which alone says what it answers."""
    return callable(handler) and (not isinstance(trigger, Route) or hasattr(handler, "answers"))


def _step(module: types.ModuleType, tied: list[Trigger]) -> tuple[Step, list[str]]:
    """A step, and what is wrong with how it is declared."""
    _, workflow, name = module.__name__.split(".")
    fields, handler = headers.parse(module.__doc__ or ""), module.handler
    faults, may, runs = [], None, DEFAULT
    if len(tied) > 1:
        faults.append(f"app.py ties it to {' and to '.join(map(str, tied))}: leave one of these lines")
    try:
        may = permissions(fields.get("May", "nothing"))
    except ValueError as fault:
        faults.append(f"{fault}: infra/plan/permissions.py tells the words of `May`")
    try:
        runs = settings(fields["Runs"]) if "Runs" in fields else DEFAULT
    except ValueError as fault:
        faults.append(str(fault))
    if isinstance(tied[0], Stream) and tied[0].table not in tables.NAMES:
        faults.append(f"app.py ties it to the stream of {tied[0].table}: add that table to infra/plan/tables.py")
    step = Step(
        name,
        workflow,
        tied[0],
        dict.fromkeys(headers.FIELDS, "") | fields,
        may or May({}),
        runs,
        lists.CURSOR in getattr(handler, "query", ()),
        getattr(handler, "dpop", False),
        bool(fingerprints.marked(getattr(handler, "body", None), "sealed")) or getattr(handler, "seals", False),
    )
    return step, faults + list(headers.faults(name, fields, tied[0], may))
