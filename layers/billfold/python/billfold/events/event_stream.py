"""Events on their way from a table's stream to the feeds of their audiences."""

from collections.abc import Callable, Iterable

from billfold.events import Event, event_rows
from billfold.triggers.queue import Message
from billfold.triggers.stream import Follower, Image


def feeds(events_of: Callable[[Image], Iterable[Event]]) -> Follower:
    """The feeds of all audiences, as followers of a table whose new rows mean these events."""
    return lambda image: [
        Message("feeds", event_rows.encode(event), log=event.audience, thing=event.about) for event in events_of(image)
    ]
