"""List what happened, in the order it was recorded, after a given event.

Trigger   GET /v1/events                     (user)
Reads     feed; user when it is a merchant's
Writes    nothing
Answers   200 a page of events, at once, empty when nothing is new; `?merchant=` asks for a merchant's feed; 404 not the caller's
Again     reading changes nothing
May       events Query; people BatchGetItem
"""

from typing import Annotated, Any

from msgspec import Meta

from billfold.clock import to_text
from billfold.errors import NotFound
from billfold.events import event_rows
from billfold.people import people_rows
from billfold.tables import log_rows
from billfold.tables.rows import fetch
from billfold.triggers import calls, http, lists, wire

AFTER = calls.Parameter(
    "after",
    {"type": "string", "pattern": "^evt_[0-9]{12}$", "description": "the id of the last event seen"},
    lambda text: text.startswith("evt_") and log_rows.is_number(text[4:]),
    "after is the id of an event",
)
MERCHANT = calls.Parameter("merchant", {"type": "string", "description": "a merchant that the caller administers"})


class EventAnswer(wire.View, frozen=True):
    """`id` is the position to pass as `?after=` for what follows."""

    id: str
    type: Annotated[str, Meta(extra_json_schema={"$ref": "#/components/schemas/EventKind"})]
    at: str
    about: str
    data: dict[str, Any]


@http.step(answers=list[EventAnswer], query=(lists.LIMIT, AFTER, MERCHANT))
def handler(request: http.Request[Any]) -> http.Answer:
    limit, after, merchant = lists.limit(request), AFTER.of(request.query), MERCHANT.of(request.query)
    if merchant:
        user = fetch(people_rows.user(request.caller))
        if user is None or merchant not in user.merchants:
            raise NotFound()

    found = event_rows.page(merchant or request.caller, after=after.removeprefix("evt_"), limit=limit + 1)

    shown = [
        EventAnswer(f"evt_{event.sk}", event.kind, to_text(event.at), event.about, event.facts)
        for event in found[:limit]
    ]
    return http.Answer(200, wire.Page(shown, shown[-1].id if len(found) > limit else None))
