"""Verify a bill's exact list, once, and pay every seller in one transfer, from the wallet or by a card.

Trigger   POST /v1/bills/{bill}/verification (the bill's device)
Reads     bill; user, device, wallet, operation, card
Writes    bill, change, balances, transfer; by card: hold, charge, card; wrong PIN: user, outbox   (one transaction; PIN as read)
Answers   200 the bill, settled or, by card, settling; 403 wrong PIN; 404 another's card; 409 the list, money, card or time
Again     the same Idempotency-Key gets the first answer; a bill is paid once whatever arrives
May       bills ConditionCheckItem PutItem Query UpdateItem; people BatchGetItem ConditionCheckItem UpdateItem;
          ledger BatchGetItem PutItem UpdateItem; operations BatchGetItem ConditionCheckItem PutItem;
          cards BatchGetItem UpdateItem; charges PutItem; outbox PutItem
Runs      1024 MiB (as set_pin)
"""

from typing import Annotated

from msgspec import Meta

from billfold import cards, errors, ledger, people
from billfold.bills import Bill, bill_payments, bill_rows, bill_wire
from billfold.bills.bill_changes import BillChange, SettlementFailed
from billfold.cards import card_rows
from billfold.charges import charge_rows
from billfold.ledger import ledger_rows
from billfold.people import PinVerification, people_rows, pins
from billfold.tables import operation_rows
from billfold.tables.commits import Commit
from billfold.tables.rows import NOTHING, fetch
from billfold.triggers import dpop, http, wire


class VerifyBill(wire.Body, frozen=True):
    list_hash: bill_wire.ListHash
    pin: wire.Pin
    instrument: Annotated[wire.Id | None, Meta(description="a card's id; the wallet pays without one")] = None


@http.step(body=VerifyBill, answers=bill_wire.BillAnswer, key=True, dpop=True)
def handler(request: http.Request[VerifyBill]) -> http.Answer:
    device_id, journal = dpop.device(request), bill_rows.load(request.parameters["bill"])
    bill, caller, operation, now = journal.present, request.caller, request.operation("opr"), request.now
    user, device, done, balance, card = fetch(
        people_rows.user(caller),
        people_rows.device(caller, device_id),
        operation_rows.operation(operation),
        ledger_rows.balance(ledger.wallet(caller, bill.currency)),
        card_rows.summary(request.body.instrument) if request.body.instrument else NOTHING,
    )
    user = people.check_own_device(bill.owner, bill.device, user, device)
    if done:
        return request.repeat(done)
    if repeat := journal.repeat(operation, request.fingerprint):
        return _answer(*repeat)

    bill_wire.check_verifiable(bill, request.body.list_hash, people.tries_left(user.pin, now), now)
    # Checked before the PIN: no write counts this refusal, so after the PIN it would tell an attacker which guess was right.
    means = cards.check_can_pay(card, caller, bill.total, now) if request.body.instrument else balance
    if wrong := PinVerification(request.body.pin).verify(user.pin, now, pins.matches):
        with Commit(operation) as commit:
            bill_rows.check_as_read(commit, bill)
            people_rows.count_wrong_try(commit, operation, request.fingerprint, user, *wrong, now)
        raise wrong[1]
    movement = bill_payments.pay(bill, means, request.operation, now, request.origin())

    with Commit(operation) as commit:
        people_rows.check_pin(commit, caller, user.pin, operation=operation, now=now)
        if movement.started:
            charge_rows.start(commit, movement.charge_id, movement.started)
        if movement.transfer:
            ledger_rows.add_transfer(commit, movement.transfer)
        bill = bill_rows.add_change(commit, bill, movement.change)

    return _answer(bill, movement.change)


def _answer(bill: Bill, change: BillChange) -> http.Answer:
    if isinstance(change, SettlementFailed):
        raise errors.named(change.refusal, change.facts)
    return http.Answer(200, bill_wire.bill(bill, people.PIN_TRIES))
