"""Do to a bill what its deadline asks: end its period, remind of its verification, or give it up as unpaid.

Trigger   queue due-bills
Reads     bill; its device
Writes    bill, change, device               (one transaction)
Answers   ended | reminded | unpaid | nothing due
Again     the bill must be as it was read and due by now, so each change happens once
May       bills PutItem Query UpdateItem; people BatchGetItem UpdateItem
"""

from billfold import bills, clock
from billfold.bills import bill_rows
from billfold.bills.bill_changes import Closed
from billfold.people import people_rows
from billfold.tables.commits import Commit
from billfold.tables.rows import fetch
from billfold.triggers import queue


@queue.step
def handler(bill_id: str) -> str:
    bill = bill_rows.load(bill_id).present
    device = fetch(people_rows.device(bill.owner, bill.device))

    change = bills.on_deadline(bill, clock.now())
    if change is None:
        return "nothing due"

    with Commit(f"{bill_id}/{bill.revision}") as commit:
        bill_rows.add_change(commit, bill, change)
        if isinstance(change, Closed) and device and device.bill == bill_id:
            people_rows.free_device(commit, bill.owner, device)

    return type(change).__name__.lower()
