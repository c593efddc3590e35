"""Forward what happened to users and merchants to their feeds, from the outbox's stream.

Trigger   stream outbox
Reads     the stream
Writes    nothing
Answers   queues each event for record_events
Again     a batch comes again after an error; record_events is idempotent
May       queue feeds
"""

from billfold.events import event_stream, outbox_stream
from billfold.triggers import stream

handler = stream.forward(__name__, event_stream.feeds(outbox_stream.events_of))
