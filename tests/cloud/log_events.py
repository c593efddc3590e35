"""Everything that a log group holds, however much it is."""

from collections.abc import Iterator
from typing import Any


def log_events(logs: Any, group: str) -> Iterator[dict[str, Any]]:
    """A group's events in the order of their times, each once.

    The local cloud's FilterLogEvents answers the first 10,000 events and no token for more, so nobody would have searched what a
    busy group logged later. Each search begins at the last instant that the one before reached.
    """
    since, seen = 0, set[tuple[Any, ...]]()
    while True:
        pages = logs.get_paginator("filter_log_events").paginate(logGroupName=group, startTime=since)
        found = [event for page in pages for event in page["events"] if _identity(event) not in seen]
        yield from found
        if not found:
            return
        since = max(event["timestamp"] for event in found)
        # Only what is of that instant comes again.
        seen = {one for one in seen if one[0] == since} | {
            _identity(event) for event in found if event["timestamp"] == since
        }


def _identity(event: dict[str, Any]) -> tuple[Any, ...]:
    """The local cloud's events have no `eventId`."""
    return event["timestamp"], event.get("logStreamName"), event.get("ingestionTime"), event["message"]
