"""Send money from the caller's wallet to another user's.

Trigger   POST /v1/transfers                 (user)
Reads     both users, transfer, operation
Writes    balances, transfer; wrong PIN: user, outbox   (one transaction; the PIN must be as it was read)
Answers   201 the transfer; 403 wrong PIN; 404 unknown payee; 409 not enough money
Again     the same Idempotency-Key gets the first answer; nothing is sent twice
May       people BatchGetItem ConditionCheckItem UpdateItem; ledger BatchGetItem ConditionCheckItem PutItem UpdateItem;
          operations BatchGetItem ConditionCheckItem PutItem; outbox PutItem
Runs      1024 MiB (as set_pin)
"""

from billfold import ledger, people
from billfold.errors import NotFound
from billfold.ledger import ledger_rows, ledger_wire
from billfold.people import PinVerification, people_rows, pins
from billfold.tables import operation_rows
from billfold.tables.commits import Commit
from billfold.tables.rows import fetch
from billfold.triggers import http, wire


class PostTransfer(wire.Body, frozen=True):
    to: wire.Id
    amount: wire.Amount
    reason: wire.Reason
    pin: wire.Pin


@http.step(body=PostTransfer, answers=ledger_wire.TransferAnswer, key=True)
def handler(request: http.Request[PostTransfer]) -> http.Answer:
    body, now = request.body, request.now
    currency = wire.known_currency(body.amount.currency, "/amount/currency")
    payer, payee = ledger.wallet(request.caller, currency), ledger.wallet(body.to, currency)
    transfer_id, operation = request.operation("trf"), request.operation("opr")
    user, recipient, balance, posted, done = fetch(
        people_rows.user(request.caller),
        people_rows.user(body.to),
        ledger_rows.balance(payer),
        ledger_rows.posted(transfer_id),
        operation_rows.operation(operation),
    )
    if done:
        return request.repeat(done)
    if posted:
        transfer, fingerprint = posted
        request.check_same(fingerprint)
        return http.Answer(201, ledger_wire.transfer(transfer))

    user = people.check_active(user)
    legs = ledger.pay(payer, [(payee, body.amount.amount)])
    transfer = ledger.transfer(transfer_id, legs, at=now, kind="transfer", reason=body.reason)
    if recipient is None:
        raise NotFound()
    # Checked before the PIN: no write counts this refusal, so after the PIN it would tell an attacker which guess was right.
    ledger.after(balance, transfer.legs[0])
    if wrong := PinVerification(body.pin).verify(user.pin, now, pins.matches):
        with Commit(transfer_id) as commit:
            ledger_rows.check_not_posted(commit, transfer_id)
            people_rows.count_wrong_try(commit, operation, request.fingerprint, user, *wrong, now)
        raise wrong[1]

    with Commit(transfer_id) as commit:
        people_rows.check_pin(commit, request.caller, user.pin, operation=operation, now=now)
        ledger_rows.add_transfer(commit, transfer, request=request.fingerprint)

    return http.Answer(201, ledger_wire.transfer(transfer))
