"""The command that plays the demo."""

from typing import Annotated

import typer

from infra.command_line import console, told
from infra.deploy.clouds import CloudAbsent, read_stack
from infra.local import local_cloud

cli = typer.Typer()


@cli.command()
def demo(port: Annotated[int, typer.Option(help="The port, when the local cloud must be started.")] = 4566) -> None:
    """Play the main job as a phone and its terminals would; starts the local cloud if none runs, and stops it then."""
    # Imported only now: the chapters import the shared code.
    from infra.demo.plays import play

    started = False
    with told():
        try:
            stack = read_stack()
        except CloudAbsent:
            local_cloud.up(port, detach=True)
            stack, started = read_stack(), True
    try:
        raise typer.Exit(play(stack, console))
    finally:
        if started:
            local_cloud.down()
            console.print("Stopped the local cloud, which was started for the demo.")
