"""Forward every charge that has started to its bank's asking, and every change to its owner's events.

Trigger   stream charges
Reads     the stream
Writes    nothing
Answers   queues what each change means
Again     a batch comes again after an error; every follower is idempotent
May       queue charges feeds
"""

from billfold.tables import charge_rows
from billfold.triggers import stream


@stream.step
def handler(image: stream.Image) -> list[stream.Message]:
    return stream.hand_over(charge_rows.messages(image)) + stream.tell(charge_rows.events_of(image))
