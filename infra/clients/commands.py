"""The command that signs a user of the sandbox in."""

from typing import Annotated

import typer

from infra.clients.api import sign_in
from infra.command_line import told
from infra.deploy.clouds import read_stack
from infra.plan import stages

cli = typer.Typer()


@cli.command()
def token(name: Annotated[str, typer.Argument(help="A user of .local/stack.json.")] = "alice") -> None:
    """Sign a user of the sandbox in; the last line is a token for the Authorization header."""
    with told():
        stack = read_stack()
        stages.check_known("user", [name], stack["users"])
        text = sign_in(stack, name)
    print(f"{name}, for an hour:\n{text}")
