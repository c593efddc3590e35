"""The command that shows the map of steps."""

import sys
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from infra.command_line import console, told
from infra.plan import stages

cli = typer.Typer()


@cli.command("steps")
def show_steps() -> None:
    """Print the map: every step, its trigger, its function, and what it may touch."""
    from infra.plan.steps import load

    prefix = stages.stage(stages.LOCAL).prefix
    table = Table("workflow", "step", "trigger", "function", "may", pad_edge=False, box=None, header_style="bold")
    with told():
        steps = load(sandbox_bank=True)
    for step in steps:
        table.add_row(step.workflow, step.name, str(step.trigger), step.function(prefix), step.header["May"])
    Console(width=None if sys.stdout.isatty() else 250).print(table)


@cli.command("new-step")
def make_step(
    workflow: Annotated[str, typer.Argument(help="Its folder in functions/, such as coupons; a new one is made.")],
    name: Annotated[str, typer.Argument(help="A verb and a noun, for what it does: claim_coupon.")],
    trigger: Annotated[
        str,
        typer.Argument(
            help="What starts it: 'POST /v1/campaigns/{campaign}/coupons', 'GET /v1/health (anyone)', 'queue NAME', "
            "'stream TABLE', 'every minute', 'every ten minutes', 'every day', 'upload BUCKET' or 'task MACHINE'."
        ),
    ],
) -> None:
    """Write a new step: its file with the whole header, its test, its line in app.py and its call."""
    from infra.plan import new_step

    with told():
        step = new_step.checked(workflow, name, trigger)
        files = new_step.write(step)
    console.print(f"Wrote {', '.join(map(new_step.short, files))}.", highlight=False)
    console.print("What is left to do (the architecture's tests tell it too):", highlight=False)
    for number, text in enumerate(new_step.left(step), 1):
        console.print(f"  {number}. {text}", markup=False, highlight=False)
