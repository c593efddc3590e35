"""Running a step again when what it had read has changed: load, look for a repeat, decide anew."""

import random
import time
from collections.abc import Callable
from typing import TypeVar

from billfold.errors import Busy, Stale

T = TypeVar("T")
RUNS = 5
# Full jitter over 20 to 160 ms: the losers of a race come back one after another.
WAIT_SECONDS = 0.01


def until_fresh(run: Callable[[], T]) -> T:
    """What the step answers once its commit found nothing changed; Busy when that fails five times."""
    for attempt in range(RUNS):
        if attempt:
            time.sleep(random.uniform(0, WAIT_SECONDS * 2**attempt))
        try:
            return run()
        except Stale:
            continue
    raise Busy()
