"""Add an event to the feed of the user or merchant whom it is for.

Trigger   queue events
Reads     the feed's head, whether this was told before
Writes    feed, event, told                  (one transaction)
Answers   recorded | known
Again     a change is told once to each audience
May       events BatchGetItem PutItem UpdateItem
"""

from billfold import clock
from billfold.tables import event_rows
from billfold.triggers import queue


@queue.step
def handler(body: str) -> str:
    return "recorded" if event_rows.append(event_rows.decode(body), clock.now()) else "known"
