"""Forward every change of a card to those who follow it: the state machine, the bank, and the owner's events.

Trigger   stream cards
Reads     the stream
Writes    nothing
Answers   queues what each change means
Again     a batch comes again after an error; every follower is idempotent
May       queue authentications answers withdrawals feeds
"""

from billfold.cards import card_stream
from billfold.events import event_stream
from billfold.triggers import stream

handler = stream.forward(__name__, card_stream.messages, event_stream.feeds(card_stream.events_of))
