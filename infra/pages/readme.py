"""The README's map of steps, written from `app.py` and the headers (`python -m infra readme`)."""

from infra.plan import steps
from infra.plan.stages import ROOT

BEGIN, END = "<!-- steps -->\n", "<!-- /steps -->"


def table(found: list[steps.Step]) -> str:
    """The map as Markdown: workflow, step, trigger and what it does."""
    lines = ["| workflow | step | trigger | |", "|---|---|---|---|"]
    for workflow, own in steps.by_workflow(found).items():
        for step in own:
            lines.append(f"| {workflow} | [{step.name}]({step.path}) | {step.trigger} | {step.summary} |")
    return "\n".join(lines) + "\n"


def written(text: str, found: list[steps.Step]) -> str:
    """A README's text with the map between its markers."""
    head, _, rest = text.partition(BEGIN)
    return head + BEGIN + table(found) + END + rest.partition(END)[2]


def write() -> None:
    """Bring the README's map up to date."""
    path = ROOT / "README.md"
    path.write_text(written(path.read_text(), steps.load()))
