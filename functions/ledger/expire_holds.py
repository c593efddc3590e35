"""Release the money of a hold whose deadline has passed.

Trigger   queue due-holds
Reads     hold
Writes    hold, balance                      (one transaction)
Answers   expired | nothing due
Again     a hold resolves at most once: it must still be pending
May       ledger BatchGetItem PutItem UpdateItem
"""

from billfold import clock, ledger
from billfold.ledger import ledger_rows
from billfold.tables.commits import Commit
from billfold.triggers import queue


@queue.step
def handler(hold_id: str) -> str:
    now = clock.now()
    found = ledger_rows.read_holds([hold_id])

    expired = ledger.expire(found[0], now) if found else None
    if expired is None:
        return "nothing due"

    with Commit(f"{hold_id}/expire") as commit:
        ledger_rows.resolve_hold(commit, found[0], expired, now)

    return "expired"
