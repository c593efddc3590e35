"""Streams in: the inserts of a table, turned into messages for queues. Nothing else happens here, so nothing is lost here."""

from collections.abc import Callable
from typing import Any

from billfold.triggers import log, queue

Image = dict[str, Any]
# A message and the queue that it is for.
Message = tuple[str, str]


def step(run: Callable[[Image], list[Message]]) -> Callable[[dict[str, Any], Any], dict[str, Any]]:
    """Make a function from a new row's image to (queue, message) pairs a Lambda handler that sends them.

    Only inserts count: changes and transfers are immutable, so all that matters is inserted. An error sends the whole
    batch again.
    """

    def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
        with log.timed("forwarded", run) as facts:
            waiting: dict[str, list[str]] = {}
            for record in event["Records"]:
                if record["eventName"] == "INSERT":
                    for name, text in run(record["dynamodb"]["NewImage"]):
                        waiting.setdefault(name, []).append(text)
            facts["sent"] = sum(queue.send(name, texts) for name, texts in waiting.items())
        return {"batchItemFailures": []}

    handler.__module__ = run.__module__
    handler.__doc__ = run.__doc__
    return handler
