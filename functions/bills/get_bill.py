"""Show a bill to its owner, or to a seller with only its own items.

Trigger   GET /v1/bills/{bill}               (user)
Reads     bill, user
Writes    nothing
Answers   200 the bill; 404 neither the caller's nor with an item of a merchant of the caller's
Again     reading changes nothing
May       bills Query; people BatchGetItem
"""

from typing import Any

from billfold import people
from billfold.bills import bill_rows, bill_sellers, bill_wire
from billfold.people import User, people_rows
from billfold.tables.rows import fetch
from billfold.triggers import http


@http.step(answers=bill_wire.BillAnswer)
def handler(request: http.Request[Any]) -> http.Answer:
    bill = bill_rows.load(request.parameters["bill"]).present
    user = fetch(people_rows.user(request.caller)) or User(request.caller)

    if bill.owner == request.caller:
        return http.Answer(200, bill_wire.bill(bill, people.tries_left(user.pin, request.now)))
    return http.Answer(200, bill_wire.bill(bill, 0, merchants=bill_sellers.administered(bill, user)))
