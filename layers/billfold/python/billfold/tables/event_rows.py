"""Each audience's feed of events: what happened, in an order that never changes once read.

pk                   sk              what
usr_… or mer_…       #               the feed's head: how many events it has
usr_… or mer_…       000000000001 …  the events, numbered without gaps, so that a reader's cursor misses none
<change>/<audience>  change          that this change was told to this audience; deleted by TTL after two weeks
"""

from typing import Any

import msgspec
from pynamodb.attributes import UnicodeAttribute

from billfold.clock import HOUR, SECOND
from billfold.events import Event
from billfold.tables.rows import Commit, Integer, Json, Row, pages, read, table

TOLD_KEPT = 14 * 24 * HOUR


class FeedRow(Row):
    class Meta:
        table_name = table("events")

    SORT = "#"
    length = Integer()


class EventRow(Row):
    class Meta:
        table_name = table("events")

    kind = UnicodeAttribute()
    about = UnicodeAttribute()
    at = Integer()
    facts = Json()


class ToldRow(Row):
    class Meta:
        table_name = table("events")

    SORT = "change"
    expires_at = Integer()


def append(event: Event, now: int) -> bool:
    """Add an event to its audience's feed, once: False when it was there already. Raises Stale when another came between."""
    told = (ToldRow, f"{event.change}/{event.audience}", ToldRow.SORT)
    head = (FeedRow, event.audience, FeedRow.SORT)
    rows = read([told, head])
    if told in rows:
        return False
    row = rows.get(head)
    count = row.length if isinstance(row, FeedRow) else 0
    commit = Commit(f"{event.change}/{event.audience}/{count}")
    commit.put_new(ToldRow(told[1], told[2], expires_at=(now + TOLD_KEPT) // SECOND))
    commit.put_new(
        EventRow(
            event.audience, f"{count + 1:012d}", kind=event.kind, about=event.about, at=event.at, facts=event.facts
        )
    )
    as_read = FeedRow.length == count if count else FeedRow.pk.does_not_exist()
    commit.update(FeedRow(event.audience, FeedRow.SORT), [FeedRow.length.set(count + 1)], as_read)
    commit.send()
    return True


def page(audience: str, *, after: str, limit: int) -> list[tuple[str, EventRow]]:
    """Events beyond a position, oldest first, each with its position. `#` sorts before digits, so the head is not among them."""
    raw: list[dict[str, Any]] = list(pages(EventRow, audience, after=after or FeedRow.SORT, limit=limit))
    return [(item["sk"]["S"], EventRow.from_raw_data(item)) for item in raw]


def encode(event: Event) -> str:
    """An event as a queue message."""
    return msgspec.json.encode(event).decode()


def decode(text: str) -> Event:
    """The event in a queue message."""
    return msgspec.json.decode(text, type=Event)
