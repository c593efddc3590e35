"""Verify a bill's exact list, once, and pay every seller in one transfer.

Trigger   POST /v1/bills/{bill}/verification (the bill's device)
Reads     bill; user, device, wallet, operation
Writes    bill, change, balances, transfer   (one transaction; the PIN must be as it was read)
Answers   200 the settled bill; 403 wrong PIN; 409 another list, not enough money, or not to be verified now
Again     the same Idempotency-Key gets the first answer; a bill is paid once whatever arrives
May       bills PutItem Query UpdateItem; people BatchGetItem ConditionCheckItem UpdateItem;
          ledger BatchGetItem PutItem UpdateItem; operations BatchGetItem PutItem
"""

from typing import Annotated

from msgspec import Meta

from billfold import bills, errors, identity, ledger, pins
from billfold.bill_changes import BillChange, Settled, SettlementFailed
from billfold.bills import Bill
from billfold.errors import BalanceTooLow, ListChanged
from billfold.identity import PinVerification, User
from billfold.ledger import Balance, Transfer
from billfold.tables import bill_rows, ledger_rows, operation_rows, people_rows
from billfold.tables.rows import Commit, read
from billfold.triggers import http, proof, wire


class VerifyBill(wire.Body, frozen=True):
    list_hash: Annotated[str, Meta(pattern=r"^[0-9a-f]{64}(?!\n)$")]
    pin: wire.Pin


@http.step(body=VerifyBill, answers=wire.BillAnswer, key=True)
def handler(request: http.Request[VerifyBill]) -> http.Answer:
    device_id, operation, now = proof.device(request), request.operation("opr"), request.now
    journal = bill_rows.load(request.parameters["bill"])
    bill, caller = journal.present, request.caller
    wallet = ledger.wallet(caller, bill.currency)
    keys = [
        people_rows.user_key(caller),
        people_rows.device_key(caller, device_id),
        operation_rows.operation_key(operation),
        *ledger_rows.balance_keys(wallet),
    ]
    rows = read(keys)
    device = people_rows.device(rows, caller, device_id)
    user = identity.check_own_device(bill.owner, bill.device, people_rows.user(rows, caller), device)
    if done := operation_rows.operation(rows, operation):
        return request.repeat(done)
    if change := journal.done(operation):
        request.check_same(change.request)
        return _answer(journal.as_of(change), change)

    _check_verifiable(bill, request.body.list_hash, user, now)
    wrong = PinVerification(request.body.pin).verify(user.pin, now, pins.matches)
    if wrong:
        people_rows.count_wrong_try(operation, request.fingerprint, user, *wrong, now)
        raise wrong[1]
    transfer, change = _settle(request, bill, ledger_rows.balance(wallet, rows))

    commit = Commit(operation)
    people_rows.check_pin(commit, caller, user.pin)
    bill = bill_rows.put_change(commit, bill, change)
    if transfer:
        ledger_rows.post(commit, transfer)
    commit.send()

    return _answer(bill, change)


def _check_verifiable(bill: Bill, list_hash: str, user: User, now: int) -> None:
    try:
        bills.check_verifiable(bill, list_hash, now)
    except ListChanged:
        current = wire.verification(bill, identity.tries_left(user.pin, now))
        raise ListChanged(verification=wire.to_builtins(current)) from None


def _settle(request: http.Request[VerifyBill], bill: Bill, balance: Balance) -> tuple[Transfer | None, BillChange]:
    """One debit of the wallet and one credit per seller (VB-17), or, without enough money, that the settlement failed."""
    now, sellers = request.now, bill.by_seller().items()
    marks = request.marks()
    payer = ledger.wallet(request.caller, bill.currency)
    legs = ledger.pay(payer, [(ledger.sales(merchant, bill.currency), amount) for merchant, amount in sellers])
    transfer = ledger.transfer(request.operation("trf"), legs, at=now, reason="bill", about=bill.bill_id)
    try:
        ledger.after(balance, legs[0])
    except BalanceTooLow as refusal:
        return None, SettlementFailed(now, refusal.code(), refusal.facts, **marks)
    return transfer, Settled(now, transfer.transfer_id, bill.list_hash(), "pin", **marks)


def _answer(bill: Bill, change: BillChange) -> http.Answer:
    if isinstance(change, SettlementFailed):
        raise errors.named(change.refusal, change.facts)
    return http.Answer(200, wire.bill(bill, identity.PIN_TRIES))
