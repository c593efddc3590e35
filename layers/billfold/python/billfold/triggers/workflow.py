"""State machines in: a task's input is ids, its output ids and an outcome that a Choice reads. An error is its to retry."""

from collections.abc import Callable
from typing import Any

from billfold.triggers import log
from billfold.triggers.again import until_fresh

Input = dict[str, Any]
Output = dict[str, Any]


def step(run: Callable[[Input], Output]) -> Callable[[Input, Any], Output]:
    """Make a function from a task's input to its output a Lambda handler."""

    def handler(event: Input, context: Any) -> Output:
        with log.timed("worked", run) as facts:
            facts |= {name: value for name, value in event.items() if name != "token"}
            answer = until_fresh(lambda: run(event))
            facts["outcome"] = answer.get("outcome", "done")
        return answer

    handler.__module__ = run.__module__
    handler.__doc__ = run.__doc__
    return handler
