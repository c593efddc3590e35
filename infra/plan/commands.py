"""The command that shows the map of steps."""

import sys

import typer
from rich.console import Console
from rich.table import Table

from infra.command_line import told
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
