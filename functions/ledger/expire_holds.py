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
from billfold.tables.rows import fetch
from billfold.triggers import queue


@queue.step
def handler(hold_id: str) -> str:
    now = clock.now()
    hold = fetch(ledger_rows.hold(hold_id))

    expired = ledger.expire_hold(hold, now) if hold else None
    if hold is None or expired is None:
        return "nothing due"

    with Commit(f"{hold_id}/expire") as commit:
        ledger_rows.resolve_hold(commit, hold, expired, now)

    return "expired"
