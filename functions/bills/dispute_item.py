"""Contest an item, as the user, before verifying; it is no longer part of the total.

Trigger   POST /v1/bills/{bill}/items/{item}/dispute   (user)
Reads     bill; user
Writes    bill, change                       (one transaction)
Answers   200 the bill, with a new list to verify; 404 not the caller's bill; 409 too late
Again     the same Idempotency-Key gets the first answer
May       bills PutItem Query UpdateItem; people BatchGetItem
"""

from dataclasses import replace
from typing import Any

from billfold import bills, people
from billfold.bills import Bill, bill_rows, bill_wire
from billfold.bills.bill_changes import BillChange
from billfold.errors import NotFound
from billfold.people import people_rows
from billfold.tables.commits import Commit
from billfold.tables.rows import fetch
from billfold.triggers import http


@http.step(answers=bill_wire.BillAnswer, key=True)
def handler(request: http.Request[Any]) -> http.Answer:
    operation, now = request.operation("opr"), request.now
    journal = bill_rows.load(request.parameters["bill"])
    bill, user = journal.present, fetch(people_rows.user(request.caller))
    if user is None or bill.owner != request.caller:
        raise NotFound()
    if repeat := journal.repeat(operation, request.fingerprint):
        return _answer(*repeat)

    people.check_active(user)
    origin = request.origin(tries_left=people.tries_left(user.pin, now))
    change = replace(bills.dispute(bill, request.parameters["item"], now), **origin)

    with Commit(operation) as commit:
        bill = bill_rows.add_change(commit, bill, change)

    return _answer(bill, change)


def _answer(bill: Bill, change: BillChange) -> http.Answer:
    return http.Answer(200, bill_wire.bill(bill, change.tries_left))
