"""The commands that write what is made from the code."""

import subprocess
import sys
from collections.abc import Callable

import typer

from infra.command_line import console, told
from infra.pages import Pages
from infra.plan.stages import ROOT

cli = typer.Typer()


@cli.command("written")
def write_everything() -> None:
    """Write everything anew that is made from the code: contract, tables, drawings, currencies, and what each step costs."""
    from infra.pages import written

    _write(written.pages)
    # What a step costs is counted by the tests' own scenarios.
    command = [sys.executable, "-m", "tests.proof.counts", "--write"]
    subprocess.run(command, cwd=ROOT, stdout=subprocess.DEVNULL, check=True)
    console.print("Wrote docs/costs.md.", highlight=False)


@cli.command("contract")
def write_contract() -> None:
    """Write the OpenAPI contract anew from the routes, models and refusals."""
    from infra.pages import contract

    _write(contract.pages)


@cli.command("drawings")
def draw_machines() -> None:
    """Draw the state machines anew from their files."""
    from infra.pages import drawings

    _write(drawings.pages)


@cli.command("currencies")
def write_currencies() -> None:
    """Write the table of currencies anew from ISO 4217."""
    from infra.pages import currencies

    _write(currencies.pages)


def _write(made: Callable[[], Pages]) -> None:
    """Write these pages, and say which."""
    with told():
        pages = made()
    for file, text in pages.items():
        file.write_text(text)
        console.print(f"Wrote {file.relative_to(ROOT)}.", highlight=False)
