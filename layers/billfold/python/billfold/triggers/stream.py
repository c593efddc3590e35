"""Streams in: the inserts of a table, turned into messages for a queue. Nothing else happens here, so nothing is lost here."""

from collections.abc import Callable
from typing import Any

from billfold.triggers import log, queue

Image = dict[str, Any]


def step(target: str) -> Callable[[Callable[[Image], list[str]]], Callable[[dict[str, Any], Any], dict[str, Any]]]:
    """Make a function from a new row's image to messages a Lambda handler that sends them to the queue `target`.

    Only inserts count: changes and transfers are immutable, so all that matters is inserted. An error sends the whole
    batch again.
    """

    def decorate(run: Callable[[Image], list[str]]) -> Callable[[dict[str, Any], Any], dict[str, Any]]:
        def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
            with log.timed("forwarded", run) as facts:
                records = [record["dynamodb"] for record in event["Records"] if record["eventName"] == "INSERT"]
                facts["sent"] = queue.send(target, (text for record in records for text in run(record["NewImage"])))
            return {"batchItemFailures": []}

        handler.__module__ = run.__module__
        handler.__doc__ = run.__doc__
        return handler

    return decorate
