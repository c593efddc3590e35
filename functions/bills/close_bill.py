"""Close a bill: its verification is requested, or, empty, it ends.

Trigger   POST /v1/bills/{bill}/close        (the bill's device)
Reads     bill; user, device
Writes    bill, change, device               (one transaction)
Answers   200 the bill, with its verification request; 409 it is not active
Again     the same Idempotency-Key gets the first answer
May       bills PutItem Query UpdateItem; people BatchGetItem UpdateItem
"""

from dataclasses import replace
from typing import Any

from billfold import bills, people
from billfold.bills import Bill, bill_rows, bill_wire
from billfold.bills.bill_changes import BillChange
from billfold.people import people_rows
from billfold.tables.commits import Commit
from billfold.tables.rows import fetch
from billfold.triggers import dpop, http


@http.step(answers=bill_wire.BillAnswer, key=True, dpop=True)
def handler(request: http.Request[Any]) -> http.Answer:
    device_id, operation, now = dpop.device(request), request.operation("opr"), request.now
    journal = bill_rows.load(request.parameters["bill"])
    user, device = fetch(people_rows.user(request.caller), people_rows.device(request.caller, device_id))
    bill = journal.present
    user = people.check_own_device(bill.owner, bill.device, user, device)
    if repeat := journal.repeat(operation, request.fingerprint):
        return _answer(*repeat)

    change = replace(bills.close(bill, now), **request.origin(tries_left=people.tries_left(user.pin, now)))

    with Commit(operation) as commit:
        bill = bill_rows.add_change(commit, bill, change)
        if device and device.bill == bill.bill_id:
            people_rows.free_device(commit, request.caller, device)

    return _answer(bill, change)


def _answer(bill: Bill, change: BillChange) -> http.Answer:
    return http.Answer(200, bill_wire.bill(bill, change.tries_left))
