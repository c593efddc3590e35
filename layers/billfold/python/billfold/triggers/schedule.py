"""Schedules in: a function that looks for what is due and says how much it found."""

from collections.abc import Callable, Iterable
from typing import Any

from billfold import clock
from billfold.triggers import log, queue

Handler = Callable[[dict[str, Any], Any], dict[str, Any]]


def step(run: Callable[[int], int]) -> Handler:
    """Make a function of the current instant a Lambda handler; its answer is how many things it found due."""

    def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
        with log.timed("looked", run) as facts:
            facts["found"] = run(clock.now())
        return facts

    handler.__module__ = run.__module__
    handler.__doc__ = run.__doc__
    return handler


def sweep(module: str, name: str, find: Callable[[int], Iterable[str]]) -> Handler:
    """The Lambda handler of the step in this module: it queues, under this name, all that is found due at the instant."""

    def run(now: int) -> int:
        return queue.send(name, find(now))

    run.__module__ = module
    return step(run)
