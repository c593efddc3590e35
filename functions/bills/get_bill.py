"""Show a bill to its owner, or to a seller with only its own items.

Trigger   GET /v1/bills/{bill}               (user)
Reads     bill, user
Writes    nothing
Answers   200 the bill; 404 neither the caller's nor with an item of a merchant of the caller's
Again     reading changes nothing
May       bills Query; people BatchGetItem
"""

from typing import Any

from billfold import identity
from billfold.errors import NotFound
from billfold.identity import User
from billfold.tables import bill_rows, people_rows
from billfold.tables.rows import read
from billfold.triggers import http, wire


@http.step(answers=wire.BillAnswer)
def handler(request: http.Request[Any]) -> http.Answer:
    bill = bill_rows.load(request.parameters["bill"]).present
    rows = read([people_rows.user_key(request.caller)])
    user = people_rows.user(rows, request.caller) or User(request.caller)

    if bill.owner == request.caller:
        return http.Answer(200, wire.bill(bill, identity.tries_left(user.pin, request.now)))
    merchants = frozenset(user.merchants) & {item.merchant for item in bill.items}
    if not merchants:
        raise NotFound()
    return http.Answer(200, wire.bill(bill, 0, merchants=merchants))
