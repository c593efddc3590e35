"""Schedules in: a function that looks for what is due and says how much it found."""

import time
from collections.abc import Callable
from typing import Any

from billfold import clock
from billfold.triggers import log


def step(run: Callable[[int], int]) -> Callable[[dict[str, Any], Any], dict[str, Any]]:
    """Make a function of the current instant a Lambda handler; its answer is how many things it found due."""

    def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
        started = time.perf_counter()
        found = run(clock.now())
        log.line("looked", log.name_of(run), (time.perf_counter() - started) * 1000, {"found": found})
        return {"found": found}

    handler.__module__ = run.__module__
    handler.__doc__ = run.__doc__
    return handler
