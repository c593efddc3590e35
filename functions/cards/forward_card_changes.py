"""Forward every change of a card to those who follow it: the state machine, the bank, and the owner's events.

Trigger   stream cards
Reads     the stream
Writes    nothing
Answers   queues what each change means
Again     a batch comes again after an error; every follower is idempotent
May       queue authentications answers withdrawals events
"""

from billfold.tables import card_rows, event_rows
from billfold.triggers import stream


@stream.step
def handler(image: stream.Image) -> list[stream.Message]:
    events = [("events", event_rows.encode(event)) for event in card_rows.events_of(image)]
    return card_rows.messages(image) + events
