"""Schedules in: a function that looks for what is due and says how much it found."""

from collections.abc import Callable
from typing import Any

from aws_lambda_powertools import Logger

from billfold import clock

logger = Logger(service="billfold", log_uncaught_exceptions=False)


def step(run: Callable[[int], int]) -> Callable[[dict[str, Any], Any], dict[str, Any]]:
    """Make a function of the current instant a Lambda handler; its answer is how many things it found due."""

    def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
        found = run(clock.now())
        logger.info("looked", extra={"step": run.__module__.rpartition(".")[2], "found": found})
        return {"found": found}

    handler.__module__ = run.__module__
    handler.__doc__ = run.__doc__
    return handler
