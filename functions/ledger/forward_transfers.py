"""Forward every transfer from the ledger's stream to its accounts' statements, and one between people to their feeds.

Trigger   stream ledger
Reads     the stream
Writes    nothing
Answers   queues each new transfer's id for record_entries, once an account; events for record_events
Again     a batch comes again after an error; both followers are idempotent
May       queue statements feeds
"""

from billfold.events import event_stream
from billfold.ledger import ledger_rows
from billfold.triggers import stream
from billfold.triggers.queue import Message


@stream.step
def handler(image: stream.Image) -> list[stream.Message]:
    transfer = ledger_rows.from_stream(image)
    if not transfer:
        return []
    name = transfer.transfer_id
    entries = [Message("statements", name, log=leg.account.name, thing=name) for leg in transfer.legs]
    return entries + event_stream.tell(ledger_rows.events_of(transfer))
