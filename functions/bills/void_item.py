"""Take back an item, as its seller, before the bill closes.

Trigger   DELETE /v1/bills/{bill}/items/{item}   (user)
Reads     bill; user
Writes    bill, change                       (one transaction)
Answers   200 the bill as the seller sees it; 404 not the caller's merchant's item; 409 the bill is closed
Again     a second time is 409 with the item's state; nothing happens twice
May       bills PutItem Query UpdateItem; people BatchGetItem
"""

from typing import Any

from billfold import people
from billfold.bills import bill_rows, bill_sellers, bill_wire
from billfold.people import people_rows
from billfold.tables.commits import Commit
from billfold.tables.rows import fetch
from billfold.triggers import http


@http.step(answers=bill_wire.BillAnswer)
def handler(request: http.Request[Any]) -> http.Answer:
    bill = bill_rows.load(request.parameters["bill"]).present
    user = fetch(people_rows.user(request.caller))
    merchants = bill_sellers.administered(bill, user)

    people.check_active(user)
    change = bill_sellers.void(bill, request.parameters["item"], merchants, request.now)

    with Commit(f"{bill.bill_id}/{bill.revision}/{request.request_id}") as commit:
        bill = bill_rows.add_change(commit, bill, change)

    return http.Answer(200, bill_wire.bill(bill, 0, merchants=merchants))
