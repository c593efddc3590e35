"""Each audience's feed of events, a log (`log_rows`): pk the user or merchant."""

import json
from collections.abc import Iterable

import msgspec
from pynamodb.attributes import UnicodeAttribute

from billfold.clock import SECOND
from billfold.events import TOLD_KEPT, Event
from billfold.tables import log_rows
from billfold.tables.rows import Integer, Json, Row, table


class EventRow(Row):
    class Meta:
        table_name = table("events")

    kind = UnicodeAttribute()
    about = UnicodeAttribute()
    at = Integer()
    facts = Json()


class ToldRow(log_rows.ToldRow):
    class Meta:
        table_name = table("events")


def append(events: Iterable[Event], now: int) -> int:
    """Add events to their one audience's feed, each once; says how many were new. Raises Stale when another came between."""
    rows = {
        event.change: EventRow(event.audience, kind=event.kind, about=event.about, at=event.at, facts=event.facts)
        for event in events
    }
    return log_rows.append(ToldRow, rows, (now + TOLD_KEPT) // SECOND)


def page(audience: str, *, after: str, limit: int) -> list[EventRow]:
    """Events beyond a number, oldest first; the sort key of each is its number."""
    return [EventRow.from_raw_data(item) for item in log_rows.page(EventRow, audience, after=after, limit=limit)]


def encode(event: Event) -> str:
    """An event as a message, in printable ASCII: whatever its texts hold, no queue can refuse it."""
    return json.dumps(msgspec.to_builtins(event), separators=(",", ":"))


def decode(text: str) -> Event | None:
    """The event in a message; None when it is none."""
    try:
        return msgspec.json.decode(text, type=Event)
    except (msgspec.MsgspecError, UnicodeError):
        return None
