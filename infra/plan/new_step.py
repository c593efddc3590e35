"""Writing a new step: its file with the whole header, its test, its line in `app.py`, and its call among the workflow's.

What only its author can say stands there as `…`, which the header's test refuses until it is said.
"""

import ast
import pathlib
import re
from dataclasses import dataclass

from infra.failures import Failure
from infra.plan import headers, step_bodies, tables
from infra.plan.stages import ROOT, check_known
from infra.plan.state_machines import machines
from infra.plan.steps import survey

TRIGGERS = (
    "GET /v1/coupons/{coupon}",
    "queue due-coupons",
    "stream coupons",
    "every minute",
    "every ten minutes",
    "every day",
    "upload pictures",
    "task bank_authentication",
)
SPOKEN = re.compile(
    r"(GET|POST|PUT|DELETE) (/v1(/[a-z-]+|/\{[a-z_]+\})+)( \(\w[\w ,']*\))?"
    r"|(queue|stream) [a-z]+(-[a-z]+)*|upload [a-z]+|every (minute|ten minutes|day)|task [a-z_]+"
)
AT = {"every day": "every day at 02:10 UTC"}
WIDTH = 120
# Names of files and folders that say nothing.
FORBIDDEN_NAMES = {"utils", "helpers", "common", "shared", "misc", "base", "manager", "service", "core", "impl"}
# They say what is heard, or nothing.
NO_VERBS = {"on", "handle", "process", "do"}


class Refused(Failure):
    """A step that cannot be made as it was asked for; the text tells why, and what would do."""


@dataclass(frozen=True)
class NewStep:
    """A step to be: `trigger` as its header will say it, without who may call it; `who` may, of a route."""

    workflow: str
    name: str
    trigger: str
    who: str = ""

    @property
    def file(self) -> pathlib.Path:
        return ROOT / f"functions/{self.workflow}/{self.name}.py"

    @property
    def test(self) -> pathlib.Path:
        return ROOT / f"tests/steps/{self.workflow}/test_{self.name}.py"

    @property
    def calls(self) -> pathlib.Path:
        """The file with the calls of its workflow, by which tests put every route through the same."""
        return ROOT / f"tests/steps/{self.workflow}/calls.py"

    @property
    def kind(self) -> str:
        """Its trigger's first word: a method, or `queue`, `stream`, `every`, `upload`, `task`."""
        return self.trigger.partition(" ")[0]


def checked(workflow: str, name: str, trigger: str) -> NewStep:
    """The step to be; Refused for a name or trigger that is taken, or that no step may have."""
    said = " ".join(trigger.split())
    if not SPOKEN.fullmatch(said):
        raise Refused(f"no step is started by {said!r}; say one like {', '.join(map(repr, TRIGGERS))}")
    if not re.fullmatch(r"[a-z]+(_[a-z]+)*", workflow) or workflow in FORBIDDEN_NAMES:
        raise Refused(f"{workflow!r} is no workflow: small letters, as in {', '.join(sorted(_folders()))}")
    verb = name.partition("_")[0]
    if not re.fullmatch(r"[a-z]+(_[a-z]+)+", name) or verb in NO_VERBS or verb in _folders():
        raise Refused(
            f"{name!r} is no verb and noun: name the step for what it does, such as claim_coupon or end_bills"
        )
    bare, _, who = said.partition(" (")
    step = NewStep(workflow, name, AT.get(bare, bare), who.rstrip(")"))
    for known in survey()[0]:
        if known.name == name:
            raise Refused(f"{known.path} exists: a step's name is its function's, so no two have one")
        if str(known.trigger) == step.trigger and step.kind not in ("every", "task"):
            raise Refused(f"{step.trigger} starts {known.path} already; another step needs another trigger")
    if step.file.exists() or step.test.exists():
        raise Refused(f"{name} exists in {workflow}, and app.py ties it to nothing")
    if step.kind == "stream":
        check_known("table", [step.trigger.partition(" ")[2]], tables.NAMES)
    if step.kind == "task":
        check_known("state machine", [step.trigger.partition(" ")[2]], machines())
    return step


def write(step: NewStep) -> list[pathlib.Path]:
    """Write everything of a step that can be written before its author says more; the files, the new ones first."""
    header = _header(step)
    line = headers.line_of(headers.parse(header), step.name)
    app = tied((ROOT / "app.py").read_text(), step, line)
    made = {step.file: f'"""{header}"""\n\n{step_bodies.body(step.name, step.kind)}', step.test: _test(step)}
    if step.kind.isupper():
        made[step.calls] = _called(step)
    for file, text in (made | {ROOT / "app.py": app}).items():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return [*made, ROOT / "app.py"]


def left(step: NewStep) -> list[str]:
    """What its author has still to do, in order; tests tell the same."""
    todo = [f"{short(step.file)}: say what stands as `…`, and let its paragraphs do it; `May` is its function's role"]
    if step.kind == "task":
        machine = step.trigger.partition(" ")[2]
        todo.append(f"infra/plan/{machine}.asl.json: name it as ${{{step.name}}} in a Task")
    todo.append(f"{short(step.test)}: what it answers, changes, refuses and does again")
    if step.kind.isupper():
        todo.append(f"{short(step.calls)}: who may make the call and what it sends")
    todo.append(
        f"tests/proof: a scenario in the *_scenarios.py of {step.workflow}, from which crashes and costs are tried"
    )
    return [*todo, "make written, make quick, make test"]


def short(file: pathlib.Path) -> str:
    return str(file.relative_to(ROOT))


def _folders() -> set[str]:
    return {folder.name for folder in (ROOT / "functions").iterdir() if folder.is_dir()}


def _header(step: NewStep) -> str:
    who = f"({step.who or 'user'})" if step.kind.isupper() else ""
    fields = step_bodies.FIELDS.get(step.kind, step_bodies.FIELDS["queue"])
    values = {"Trigger": f"{step.trigger.ljust(32)}   {who}".strip(), **fields}
    summary = step.name.replace("_", " ").capitalize()
    return f"{summary} …\n\n" + "".join(f"{name.ljust(9)} {value}\n" for name, value in values.items())


def _test(step: NewStep) -> str:
    said = step.name.replace("_", " ")
    return (
        f'"""{said.capitalize()}: what it answers, changes, refuses and does again."""\n\n'
        f"import pytest\n\n\n"
        f"def test_{step.name}_keeps_its_promise():\n"
        f'    """…: the requirement by its id."""\n'
        f'    pytest.fail("write what {step.name} answers, changes, refuses and does again, each as a sentence")\n'
    )


def _called(step: NewStep) -> str:
    """The workflow's calls with this one at the end: the owner's, until its author says whose it is."""
    status = {"GET": "200", "POST": "201"}.get(step.kind, "204")
    named = ", ".join(f'"{name}": town.{name}' for name in re.findall(r"\{(\w+)\}", step.trigger))
    path = f", path=lambda town: {{{named}}}" if named else ""
    entry = f'    Call("{step.trigger}", owners("{status}"){path}),'
    if not step.calls.exists():
        said = f'"""Calls of {step.workflow}."""'
        return f"{said}\n\nfrom tests.steps.callers import Call, owners\n\nCALLS = [\n{entry}\n]\n"
    text = step.calls.read_text()
    tree = ast.parse(text)
    (ends,) = (node.end_lineno or 0 for node in tree.body if ast.unparse(node).startswith("CALLS = "))
    lines = text.splitlines()
    lines.insert(ends - 1, entry)
    return "\n".join(lines) + "\n"


def tied(text: str, step: NewStep, line: str) -> str:
    """The text of `app.py` with the step's import, and its line below the last one of its workflow."""
    tree = ast.parse(text)
    imports = {
        node.module.partition(".")[2]: node
        for node in tree.body
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("functions.") and node.module
    }
    own = imports.get(step.workflow)
    names = sorted({step.name, *(alias.name for alias in own.names)} if own else {step.name})
    lines = text.splitlines()
    ties = [node for node in tree.body if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)]
    of_workflow = [
        node for node in ties if {part.id for part in ast.walk(node) if isinstance(part, ast.Name)} & {*names}
    ]
    ours = [node for node in ties if not ast.unparse(node).startswith("bank_")]
    place = (of_workflow or ours)[-1].end_lineno or 0
    lines[place:place] = [line] if of_workflow else ["", line]
    before = [node.end_lineno or 0 for workflow, node in imports.items() if workflow < step.workflow]
    end = (own.end_lineno or 0) if own else max(before, default=min(node.lineno for node in imports.values()) - 1)
    start = own.lineno - 1 if own else end
    lines[start:end] = _import(step.workflow, names)
    return "\n".join(lines) + "\n"


def _import(workflow: str, names: list[str]) -> list[str]:
    line = f"from functions.{workflow} import {', '.join(names)}"
    if len(line) <= WIDTH:
        return [line]
    return [f"from functions.{workflow} import (", *(f"    {name}," for name in names), ")"]
