"""Top the caller's wallet up by a card; the card's bank is asked afterwards.

Trigger   POST /v1/top-ups                   (user)
Reads     user, card, charge
Writes    charge, change, hold, balance, card   (one transaction)
Answers   202 the top-up, settling; 404 another's card; 409 a card that cannot pay, or not this amount
Again     the same Idempotency-Key gets the first answer; the card is charged once
May       people BatchGetItem; cards BatchGetItem UpdateItem; charges BatchGetItem PutItem Query; ledger PutItem UpdateItem
"""

from dataclasses import replace

from billfold import cards, charges, identity
from billfold.money import Money
from billfold.tables import card_rows, charge_rows, people_rows
from billfold.tables.rows import Commit, read
from billfold.triggers import charge_wire, http, wire


class TopUpWallet(wire.Body, frozen=True):
    card: wire.Id
    amount: wire.Amount


@http.step(body=TopUpWallet, answers=charge_wire.TopUpAnswer, key=True)
def handler(request: http.Request[TopUpWallet]) -> http.Answer:
    body, caller, now, charge_id = request.body, request.caller, request.now, request.operation("chg")
    keys = [people_rows.user_key(caller), card_rows.head_key(body.card), charge_rows.head_key(charge_id)]
    rows = read(keys)
    if charge_rows.head_key(charge_id) in rows:
        journal = charge_rows.load(charge_id)
        request.check_same(journal.changes[0].request)
        return http.Answer(202, charge_wire.top_up(journal.at(1)))

    amount = Money(body.amount.amount, wire.current_currency(body.amount.currency, "/amount/currency"))
    identity.active(people_rows.user(rows, caller))
    head = card_rows.head(rows, body.card)
    card = cards.check_can_pay(card_rows.to_card(head) if head else None, caller, amount, now)
    hold, transfer = request.operation("hld"), request.operation("trf")
    started = charges.start(card, amount, "top_up", "", now, hold=hold, transfer=transfer)

    commit = Commit(charge_id)
    charge = charge_rows.start(commit, charge_id, replace(started, **request.marks()))
    commit.send()

    return http.Answer(202, charge_wire.top_up(charge))
