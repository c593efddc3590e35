"""Forward every transfer from the ledger's stream to its accounts' statements, and one between people to their feeds.

Trigger   stream ledger
Reads     the stream
Writes    nothing
Answers   queues each new transfer's id for record_entries, once an account; events for record_events
Again     a batch comes again after an error; both followers are idempotent
May       queue statements feeds
"""

from billfold.events import event_stream
from billfold.ledger import ledger_stream
from billfold.triggers import stream

handler = stream.forward(__name__, ledger_stream.messages, event_stream.feeds(ledger_stream.events_of))
