"""How the demo speaks: chapters, sentences, tables, and checks that end it when something differs."""

import time
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from rich.console import Console
from rich.padding import Padding
from rich.rule import Rule
from rich.table import Table

T = TypeVar("T")
# Where the output is no terminal, and nothing can spin, a wait says so in lines.
PLAIN_EVERY_SECONDS = 10


class Differs(Exception):
    """What was found is not what was expected."""


class Story:
    """A narrative on a console. `checks` counts what was found to be as expected."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(highlight=False)
        self.checks = 0
        self._chapters = 0

    def chapter(self, title: str) -> None:
        self._chapters += 1
        self.console.print()
        self.console.print(Rule(f"[bold]{self._chapters}. {title}[/bold]", align="left"))

    def say(self, text: str) -> None:
        self.console.print(f"  {text}", highlight=False)

    def expect(self, what: str, found: Any, expected: Any) -> None:
        """Show that `what` is as expected; Differs, with both, when it is not."""
        if found != expected:
            self.console.print(f"  [red]✗ {what}[/red]", highlight=False)
            raise Differs(f"{what}: expected {expected!r}, found {found!r}")
        self.checks += 1
        self.console.print(f"  [green]✓[/green] {what}", highlight=False)

    def table(self, columns: Iterable[str], rows: Iterable[Iterable[str]]) -> None:
        """Rows under columns; a column whose name begins with `>` is right-aligned."""
        table = Table(box=None, padding=(0, 3, 0, 0), header_style="dim")
        for name in columns:
            table.add_column(name.lstrip(">"), justify="right" if name.startswith(">") else "left")
        for row in rows:
            table.add_row(*row)
        self.console.print(Padding(table, (0, 0, 0, 2)))

    def wait(self, what: str, look: Callable[[], T | None], *, at_most_seconds: float, every: float = 0.3) -> T:
        """What `look` finds in the end, with the seconds shown as they pass; Differs when it finds nothing in time."""
        started = time.monotonic()
        shown = 0.0
        with self.console.status(what) as status:
            while True:
                found = look()
                passed = time.monotonic() - started
                if found is not None:
                    return found
                if passed > at_most_seconds:
                    raise Differs(f"{what}: nothing after {at_most_seconds:.0f} seconds")
                progress = f"{what} [dim]{passed:.0f} s, at most {at_most_seconds:.0f} s[/dim]"
                status.update(progress)
                if not self.console.is_terminal and passed >= shown + PLAIN_EVERY_SECONDS:
                    shown = passed
                    self.say(progress)
                time.sleep(every)
