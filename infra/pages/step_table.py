"""docs/steps.md: the map of steps, written from `app.py` and the headers."""

from infra.pages import Pages
from infra.plan import steps
from infra.plan.stages import ROOT

HEAD = """# The map of steps

<!-- Written by `make written`. -->

One line a step in [app.py](../app.py), one file in `functions/`, one Lambda function. `make steps` shows also what each may touch;
[costs.md](costs.md) has what each costs.

| workflow | step | trigger | |
|---|---|---|---|
"""


def pages() -> Pages:
    """The map as Markdown: workflow, step, trigger and what it does."""
    rows = [
        f"| {workflow} | [{step.name}](../{step.path}) | {step.trigger} | {step.summary} |\n"
        for workflow, own in steps.by_workflow(steps.load()).items()
        for step in own
    ]
    return {ROOT / "docs/steps.md": HEAD + "".join(rows)}
