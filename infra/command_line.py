"""What the commands of `python -m infra` have in common: options that many take, and how they say what goes on or went wrong."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated, NoReturn

import typer
from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console

from infra.failures import Failure

console = Console(soft_wrap=True)
StageName = Annotated[str, typer.Option("--stage", help="A stage of .chalice/config.json.")]
Endpoint = Annotated[str | None, typer.Option(help="Another address than AWS's own, such as the local cloud's.")]
# Says a line of progress.
Say = Callable[[str], None]


@contextmanager
def told() -> Iterator[None]:
    """What may go wrong in ordinary life, in one line and exit code 1; anything else is a bug and shows where."""
    try:
        yield
    except SyntaxError as fault:
        _say_fault("SyntaxError", f"{fault.filename}:{fault.lineno}: {fault.msg}")
    except (Failure, ClientError, BotoCoreError) as fault:
        _say_fault(type(fault).__name__, str(fault))


def _say_fault(kind: str, text: str) -> NoReturn:
    console.print(f"[red]{kind}[/red]: ", end="")
    console.print(" ".join(text.split()), markup=False, highlight=False)
    raise typer.Exit(1) from None


def stopwatch() -> Say:
    """A say that puts the time since now before each line."""
    started = time.monotonic()

    def say(text: str) -> None:
        console.print(f"  [dim]{time.monotonic() - started:5.1f} s[/dim]  {text}", highlight=False)

    return say
