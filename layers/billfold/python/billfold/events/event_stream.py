"""Events on their way from a table's stream to the feeds of their audiences."""

from collections.abc import Iterable

from billfold.events import Event, event_rows
from billfold.triggers.queue import Message


def tell(told: Iterable[Event]) -> list[Message]:
    """Events as messages to the feeds of their audiences."""
    return [Message("feeds", event_rows.encode(event), log=event.audience, thing=event.about) for event in told]
