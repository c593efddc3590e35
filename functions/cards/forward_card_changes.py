"""Forward every change of a card to those who follow it: the state machine, the bank, and the owner's events.

Trigger   stream cards
Reads     the stream
Writes    nothing
Answers   queues what each change means
Again     a batch comes again after an error; every follower is idempotent
May       queue authentications answers withdrawals feeds
"""

from billfold.cards import card_rows
from billfold.events import event_stream
from billfold.triggers import stream


@stream.step
def handler(image: stream.Image) -> list[stream.Message]:
    return stream.hand_over(card_rows.messages(image)) + event_stream.tell(card_rows.events_of(image))
