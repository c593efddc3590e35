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
# What a new row means to somebody: messages, or a queue and a body each.
Follower = Callable[[Image], Iterable[tuple[str, ...]]]
DEAD_LETTERS = "streams-dead"


def forward(module: str, *followers: Follower) -> Callable[[dict[str, Any], Any], dict[str, Any]]:
    """The Lambda handler of the step in this module: it sends what each new row of a table means to the table's followers.

    Only inserts count: changes and transfers are immutable, so all that matters is inserted. A row that one follower cannot
    understand is sent to none.
    """

    def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
        with log.timed("forwarded", handler) as facts:
            messages: list[Message] = []
            for record in event["Records"]:
                if record["eventName"] == "INSERT":
                    try:
                        image = record["dynamodb"]["NewImage"]
                        messages += [Message(*sent) for follower in followers for sent in follower(image)]
                    except Exception as fault:
                        facts["fault"] = type(fault).__name__
                        messages.append(_dead_letter(log.name_of(handler), record, fault))
            facts["sent"] = queue.send_all(messages)
        return {"batchItemFailures": []}

    handler.__module__ = module
    return handler


def _dead_letter(step_name: str, record: dict[str, Any], fault: Exception) -> Message:
    """Which row it was and what became of it: no more, because rows hold what dead letters must not."""
    keys = {name: value["S"] for name, value in record["dynamodb"]["Keys"].items()}
    table = record["eventSourceARN"].partition(f":table/{os.environ['BILLFOLD_PREFIX']}-")[2].partition("/")[0]
    return Message(DEAD_LETTERS, json.dumps({"step": step_name, "table": table, **keys, "fault": type(fault).__name__}))
