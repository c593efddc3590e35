"""Forward every change of a bill, as an event for each audience, from the bills' stream.

Trigger   stream bills
Reads     the stream
Writes    nothing
Answers   queues one event per audience for record_events
Again     a batch comes again after an error; record_events is idempotent
May       queue feeds
"""

from billfold.bills import bill_stream
from billfold.events import event_stream
from billfold.triggers import stream

handler = stream.forward(__name__, event_stream.feeds(bill_stream.events_of))
