"""Forward every charge that has started to its bank's asking, and every change to its owner's events.

Trigger   stream charges
Reads     the stream
Writes    nothing
Answers   queues what each change means
Again     a batch comes again after an error; every follower is idempotent
May       queue charges events
"""

from billfold.tables import charge_rows, event_rows
from billfold.triggers import stream


@stream.step
def handler(image: stream.Image) -> list[stream.Message]:
    events = [("events", event_rows.encode(event)) for event in charge_rows.events_of(image)]
    return charge_rows.messages(image) + events
