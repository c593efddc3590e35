"""Give settled items back, as their seller, through the same split.

Trigger   POST /v1/bills/{bill}/refunds      (user)
Reads     bill; user
Writes    bill, change, balances, transfer; of a card's payment, charge   (one transaction)
Answers   201 the bill as the seller sees it; 404 not the caller's merchant's items; 409 not settled, or refunded before
Again     the same Idempotency-Key gets the first answer; an item is refunded at most once
May       bills PutItem Query UpdateItem; people BatchGetItem; ledger PutItem UpdateItem; charges PutItem
"""

from dataclasses import replace
from typing import Annotated

from msgspec import Meta

from billfold import bills, people
from billfold.bills import bill_refunds, bill_rows, bill_sellers, bill_wire
from billfold.charges import charge_rows
from billfold.ledger import ledger_rows
from billfold.people import people_rows
from billfold.tables.commits import Commit
from billfold.tables.rows import fetch
from billfold.triggers import http, wire


class RefundItems(wire.Body, frozen=True):
    items: Annotated[list[wire.Id], Meta(min_length=1, max_length=bills.MAX_ITEMS)]
    reason: wire.Reason


@http.step(body=RefundItems, answers=bill_wire.BillAnswer, key=True)
def handler(request: http.Request[RefundItems]) -> http.Answer:
    body, operation, now = request.body, request.operation("opr"), request.now
    journal = bill_rows.load(request.parameters["bill"])
    bill, user = journal.present, fetch(people_rows.user(request.caller))
    merchants = bill_sellers.administered(bill, user)
    if repeat := journal.repeat(operation, request.fingerprint):
        return http.Answer(201, bill_wire.bill(repeat[0], 0, merchants=merchants))

    people.check_active(user)
    transfer_id = request.operation("trf")
    refund = bill_refunds.refund(bill, body.items, merchants, transfer_id=transfer_id, reason=body.reason, now=now)
    movement = bill_refunds.movement(bill, replace(refund, **request.origin()), request.operation("chg"))

    with Commit(operation) as commit:
        if movement.started:
            charge_rows.start(commit, movement.charge_id, movement.started)
        if movement.transfer:
            ledger_rows.add_transfer(commit, movement.transfer)
        bill = bill_rows.add_change(commit, bill, movement.change)

    return http.Answer(201, bill_wire.bill(bill, 0, merchants=merchants))
