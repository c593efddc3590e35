"""Streams in: the inserts of a table, turned into messages for queues. Nothing else happens here, so nothing is lost here.

What a row means depends on nothing but the row. So a record that cannot be understood (a newer writer's, say) never will be:
its keys are laid among the streams' dead letters, and the others go on. When a queue cannot be reached the whole batch fails
and comes again, before anything that stands behind it, so what is told of one thing keeps its order.
"""

import json
import os
from collections.abc import Callable, Iterable
from typing import Any

from billfold.triggers import log, queue

Image = dict[str, Any]
Message = queue.Message
DEAD_LETTERS = "streams-dead"


def step(run: Callable[[Image], list[Message]]) -> Callable[[dict[str, Any], Any], dict[str, Any]]:
    """Make a function from a new row's image to messages a Lambda handler that sends them.

    Only inserts count: changes and transfers are immutable, so all that matters is inserted.
    """

    def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
        with log.timed("forwarded", run) as facts:
            messages: list[Message] = []
            for record in event["Records"]:
                if record["eventName"] == "INSERT":
                    try:
                        messages += run(record["dynamodb"]["NewImage"])
                    except Exception as fault:
                        facts["fault"] = type(fault).__name__
                        messages.append(_dead_letter(log.name_of(run), record, fault))
            facts["sent"] = queue.send_all(messages)
        return {"batchItemFailures": []}

    handler.__module__ = run.__module__
    handler.__doc__ = run.__doc__
    return handler


def _dead_letter(step_name: str, record: dict[str, Any], fault: Exception) -> Message:
    """Which row it was and what became of it: no more, because rows hold what dead letters must not."""
    keys = {name: value["S"] for name, value in record["dynamodb"]["Keys"].items()}
    table = record["eventSourceARN"].partition(f":table/{os.environ['BILLFOLD_PREFIX']}-")[2].partition("/")[0]
    return Message(DEAD_LETTERS, json.dumps({"step": step_name, "table": table, **keys, "fault": type(fault).__name__}))


def hand_over(messages: Iterable[tuple[str, str]]) -> list[Message]:
    """Queues and what each is to be sent, as messages."""
    return [Message(name, body) for name, body in messages]
