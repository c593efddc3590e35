"""Running a step again when what it had read has changed: load, look for a repeat, decide anew."""

from collections.abc import Callable
from typing import TypeVar

from billfold import clock
from billfold.errors import Busy, Stale

T = TypeVar("T")
RUNS = 5


def until_fresh(run: Callable[[], T]) -> T:
    """What the step answers once its commit found nothing changed; Busy when that fails five times."""
    for attempt in range(RUNS):
        if attempt:
            # 20 to 160 ms: whoever came between needs about as long for its own commit.
            clock.back_off(attempt + 1)
        try:
            return run()
        except Stale:
            continue
    raise Busy()
