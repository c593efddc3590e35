"""Forward every transfer from the ledger's stream to those who follow it.

Trigger   stream ledger
Reads     the stream
Writes    nothing
Answers   queues each new transfer for record_entries
Again     a batch comes again after an error; record_entries is idempotent
May       queue transfers
"""

from billfold.tables import ledger_rows
from billfold.triggers import stream


@stream.step
def handler(image: stream.Image) -> list[stream.Message]:
    transfer = ledger_rows.from_stream(image)
    return [("transfers", ledger_rows.encode(transfer))] if transfer else []
