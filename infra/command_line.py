"""What the commands of `python -m infra` share: the options that many have, and how they say what went wrong."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, NoReturn

import typer
from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console

from infra.build.packages import NotBuildable
from infra.deploy.clouds import CloudAbsent, WrongAccount
from infra.deploy.stacks import DeploymentFailed
from infra.local.servers import CloudFailed
from infra.plan import stages

console = Console(soft_wrap=True)
StageName = Annotated[str, typer.Option("--stage", help="A stage of .chalice/config.json.")]
Endpoint = Annotated[str | None, typer.Option(help="Another address than AWS's own, such as the local cloud's.")]


ORDINARY = (
    *(CloudAbsent, CloudFailed, WrongAccount, DeploymentFailed, NotBuildable, stages.Unknown),
    *(ClientError, BotoCoreError),
)


@contextmanager
def told() -> Iterator[None]:
    """What may go wrong in ordinary life, in one line and exit code 1; anything else is a bug and shows where."""
    try:
        yield
    except SyntaxError as fault:
        say_fault("SyntaxError", f"{fault.filename}:{fault.lineno}: {fault.msg}")
    except ORDINARY as fault:
        say_fault(type(fault).__name__, str(fault))


def say_fault(kind: str, text: str) -> NoReturn:
    console.print(f"[red]{kind}[/red]: ", end="")
    console.print(" ".join(text.split()), markup=False, highlight=False)
    raise typer.Exit(1) from None
