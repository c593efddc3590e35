"""Drawings of the state machines, `docs/<machine>.md`, made from their files."""

import re
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from infra.pages import Pages
from infra.plan import steps
from infra.plan.stages import ROOT
from infra.plan.state_machines import machines, tasks

State = dict[str, Any]
# Colours that can be read on a light page and on a dark one.
STYLES = {
    "works": "fill:#dbeafe,stroke:#2563eb,color:#172554",
    "waits": "fill:#fef3c7,stroke:#d97706,color:#451a03",
    "ends": "fill:#dcfce7,stroke:#16a34a,color:#052e16",
}


def pages() -> Pages:
    """Every machine's drawing, docs/<machine>.md."""
    known = steps.load()
    return {ROOT / f"docs/{name}.md": page(name, definition, known) for name, definition in machines().items()}


def page(machine: str, definition: State, known: list[steps.Step]) -> str:
    """A machine as a page of Markdown: what it is, its drawing, and a table of its tasks."""
    title = machine.replace("_", " ").capitalize()
    return "\n".join(
        [
            f"# {title}",
            "",
            f"<!-- Generated from infra/plan/{machine}.asl.json by `make written`. -->",
            "",
            definition["Comment"],
            "",
            "Blue works, yellow waits for somebody, green is the end. At a diamond the last step's outcome chooses the way;",
            "✗ is the way when a task failed at every try.",
            "",
            "```mermaid",
            *diagram(definition),
            "```",
            "",
            *(
                f"- **{_words(name)}**: {state['Comment']}"
                for name, state in definition["States"].items()
                if "Comment" in state
            ),
            "",
            "| task | step | may take | is tried | if that fails |",
            "|---|---|---|---|---|",
            *(_row(name, state, known) for name, state in _tasks(definition)),
            "",
        ]
    )


def diagram(definition: State) -> list[str]:
    """The machine in Mermaid's words."""
    states = definition["States"]
    lines = ["stateDiagram-v2", *(f"    classDef {name} {style}" for name, style in STYLES.items())]
    for name, state in states.items():
        lines += [f"    {line}" for line in _drawn(name, state)]
    lines.append(f"    [*] --> {definition['StartAt']}")
    for name, state in states.items():
        for to, labels in _ways(state).items():
            lines.append(" : ".join([f"    {name} --> {to}", *filter(None, [", ".join(labels)])]))
    return lines


def _drawn(name: str, state: State) -> Iterator[str]:
    """The state itself, named as a sentence, with its step below."""
    if state["Type"] == "Choice":
        yield f"state {name} <<choice>>"
        return
    yield f'state "{"<br/>".join([_words(name), *sorted(tasks(state))])}" as {name}'
    kind = "ends" if state["Type"] == "Succeed" else "waits" if _awaits(state) else "works"
    yield f"class {name} {kind}"


def _words(name: str) -> str:
    """AskBank -> Ask bank."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).capitalize()


def _ways(state: State) -> dict[str, list[str]]:
    """Where it goes from here, and when."""
    found: dict[str, list[str]] = defaultdict(list)
    if "Next" in state:
        found[state["Next"]] += ["woken"] if _awaits(state) else []
    for rule in state.get("Choices", ()):
        subject = rule["Variable"].removeprefix("$.")
        found[rule["Next"]].append(
            rule["StringEquals"] if subject == "outcome" else f"{subject} = {rule['StringEquals']}"
        )
    if "Default" in state:
        found[state["Default"]].append("anything else")
    for catch in state.get("Catch", ()):
        found[catch["Next"]] += ["time is up", "✗"] if _awaits(state) else ["✗"]
    if state["Type"] == "Succeed":
        found["[*]"] = []
    return found


def _tasks(definition: State) -> Iterator[tuple[str, State]]:
    return ((name, state) for name, state in definition["States"].items() if state["Type"] == "Task")


def _awaits(state: State) -> bool:
    return str(state.get("Resource", "")).endswith(".waitForTaskToken")


def _row(name: str, state: State, known: list[steps.Step]) -> str:
    (called,) = tasks(state)
    step = next(step for step in known if step.name == called)
    seconds = (
        f"{state['TimeoutSeconds']} s"
        if "TimeoutSeconds" in state
        else f"as `{state['TimeoutSecondsPath'].removeprefix('$.')}` says"
    )
    tries = ", ".join(_tries(retry) for retry in state["Retry"])
    then = ", ".join(_words(catch["Next"]) for catch in state.get("Catch", ())) or "an alarm"
    return f"| {_words(name)} | [{called}](../{step.path}) | {seconds} | {tries} | {then} |"


def _tries(retry: dict[str, Any]) -> str:
    """How often at most, and how long the pauses between may be together."""
    pauses = [
        min(retry["IntervalSeconds"] * retry["BackoffRate"] ** count, retry["MaxDelaySeconds"])
        for count in range(retry["MaxAttempts"])
    ]
    total = sum(pauses)
    span = f"{total:.0f} s" if total < 120 else f"{total / 60:.0f} min"
    return f"{len(pauses) + 1} times within {span}"
