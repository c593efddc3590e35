"""What a row of the outbox is to its audience: the event itself."""

from typing import Any, get_args

from billfold.events import Event, OutboxKind
from billfold.events.outbox_rows import OutboxRow

EVENTS = {kind: kind for kind in get_args(OutboxKind)}


def events_of(image: dict[str, Any]) -> list[Event]:
    """The event that a row inserted into this table is."""
    row = OutboxRow.from_raw_data(image)
    return [Event(f"{row.pk}/{row.sk}", row.pk, row.kind, row.about, int(row.at), dict(row.facts))]
