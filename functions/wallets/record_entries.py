"""Write a transfer's lines into its accounts' statements.

Trigger   queue transfers
Reads     nothing
Writes    statement entries
Answers   recorded
Again     the same lines are put again under the same keys
May       statements BatchWriteItem
"""

from billfold.tables import ledger_rows
from billfold.triggers import queue


@queue.step
def handler(body: str) -> str:
    ledger_rows.write_entries([ledger_rows.decode(body)])
    return "recorded"
