"""The commands that start and stop the local cloud."""

from typing import Annotated

import typer

from infra.command_line import console, told
from infra.local import local_cloud

cli = typer.Typer()


@cli.command()
def up(
    port: Annotated[int, typer.Option(help="The port on 127.0.0.1.")] = 4566,
    detach: Annotated[bool, typer.Option("--detach", help="Return once everything answers.")] = False,
    auth: Annotated[bool, typer.Option("--auth", help="Enforce each function's role.")] = False,
) -> None:
    """Start the local cloud, deploy the real templates, seed the sandbox; stay until Ctrl-C."""
    with told():
        local_cloud.up(port, detach=detach, auth=auth)


@cli.command()
def down() -> None:
    """Stop the local cloud that was started here."""
    server = local_cloud.down()
    console.print(
        f"Stopped the local cloud on port {server.port}." if server else "No local cloud runs here.", highlight=False
    )
