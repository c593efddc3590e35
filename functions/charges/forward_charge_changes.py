"""Forward each charge that has started to its bank's asking, each change to its owner's events, and comparisons to go on.

Trigger   stream charges
Reads     the stream
Writes    nothing
Answers   queues what each change means
Again     a batch comes again after an error; every follower is idempotent
May       queue charges comparisons feeds
"""

from billfold.charges import charge_stream, comparison_rows
from billfold.events import event_stream
from billfold.triggers import stream

handler = stream.forward(
    __name__, charge_stream.messages, comparison_rows.messages, event_stream.feeds(charge_stream.events_of)
)
