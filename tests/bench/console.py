"""What benchmarks print: tables of minimum, median and maximum, with visible progress while they run."""

import os
import statistics
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

WIDTH = 130
# A duplicate of standard output: `silenced` turns the real one away while steps log to it.
console = Console(file=os.fdopen(os.dup(sys.stdout.fileno()), "w"), width=None if sys.stdout.isatty() else WIDTH)


def spread(values: Sequence[float], digits: int = 1) -> tuple[str, str, str]:
    """Minimum, median and maximum as text."""
    return tuple(f"{value:,.{digits}f}" for value in (min(values), statistics.median(values), max(values)))  # type: ignore[return-value]


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[str]], note: str = "") -> None:
    """A table whose first column is text and whose others are numbers."""
    shown = Table(title=title, title_justify="left", caption=note or None, caption_justify="left")
    for number, column in enumerate(columns):
        shown.add_column(column, justify="right" if number else "left", no_wrap=not number)
    for row in rows:
        shown.add_row(*row)
    console.print(shown)
    console.print()


@contextmanager
def progress(what: str, total: int) -> Iterator[Callable[[], None]]:
    """A bar that each call of what is yielded moves by one."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(what, total=total)
        yield lambda: bar.advance(task)


@contextmanager
def silenced() -> Iterator[None]:
    """Send what steps log to nowhere, at the file descriptor, so that writing a line costs what it costs."""
    kept = os.dup(1)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    try:
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)
        os.close(nowhere)
