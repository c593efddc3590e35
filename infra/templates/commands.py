"""The commands that write the templates out and check them."""

import pathlib
from typing import Annotated

import typer

from infra.command_line import console, told
from infra.templates import checks

cli = typer.Typer()


@cli.command("templates")
def write_templates(
    to: Annotated[pathlib.Path, typer.Option(help="A folder.")] = checks.OUTPUT,
) -> None:
    """Write every stage's templates out, to be read or checked."""
    for file in checks.write(to):
        console.print(str(file), highlight=False)


@cli.command("check-templates")
def check_templates() -> None:
    """Check the templates with cfn-lint and checkov; exceptions and their reasons are in infra/templates/checks.py."""
    with told():
        raise typer.Exit(checks.run(console))
