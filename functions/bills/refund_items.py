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

from billfold import bills, ids, ledger, people
from billfold.bills import Bill, bill_refunds, bill_rows, bill_wire
from billfold.bills.bill_changes import PaidBy
from billfold.charges import charge_rows
from billfold.charges.charge_changes import Started
from billfold.errors import NotFound
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
    merchants = frozenset(user.merchants if user else ()) & {item.merchant for item in bill.items}
    if not merchants:
        raise NotFound()
    if repeat := journal.repeat(operation, request.fingerprint):
        return http.Answer(201, bill_wire.bill(repeat[0], 0, merchants=merchants))

    people.check_active(user)
    transfer_id = request.operation("trf")
    change = bill_refunds.refund(bill, body.items, merchants, transfer_id=transfer_id, reason=body.reason, now=now)
    amount = sum(bill.item(item_id).amount for item_id in body.items)
    paid_by, currency = bill.paid_by, bill.currency
    payee = ledger.card(bill.owner, paid_by.card, currency) if paid_by else ledger.wallet(bill.owner, currency)
    legs = ledger.pay(ledger.sales(change.by, currency), [(payee, amount)])
    transfer = ledger.transfer(
        transfer_id, legs, at=now, kind="refund", reason="refund", about=bill.bill_id, reverses=bill.transfer_id
    )

    with Commit(operation) as commit:
        bill = bill_rows.put_change(commit, bill, replace(change, **request.marks()))
        ledger_rows.post(commit, transfer)
        if paid_by:
            charge_rows.start(commit, request.operation("chg"), _refund(request, bill, paid_by, amount))

    return http.Answer(201, bill_wire.bill(bill, 0, merchants=merchants))


def _refund(request: http.Request[RefundItems], bill: Bill, paid_by: PaidBy, amount: int) -> Started:
    """What the card's bank is asked to give back; should it not, the money goes to the wallet under the id of `transfer`."""
    return Started(
        at=request.now,
        owner=bill.owner,
        card=paid_by.card,
        bank=paid_by.bank,
        token="",
        amount=amount,
        currency=bill.currency,
        purpose="refund",
        about=bill.bill_id,
        of=paid_by.reference,
        hold="",
        transfer=ids.derived("trf", request.operation("trf"), "wallet"),
    )
