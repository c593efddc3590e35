"""Add events to the feed of the user or merchant whom they are for.

Trigger   queue feeds
Reads     whether they were told before; the feed's last event
Writes    events, told                       (one transaction)
Answers   what is no event of this feed, for the dead letters
Again     a change is told once to each audience
May       events BatchGetItem PutItem Query
"""

from billfold import clock
from billfold.events import event_rows
from billfold.triggers import queue


@queue.in_order("feeds")
def handler(audience: str, bodies: list[str]) -> list[str]:
    told = {body: event for body in bodies if (event := event_rows.decode(body)) and event.audience == audience}

    event_rows.append(told.values(), clock.now())

    return [body for body in bodies if body not in told]
