"""Top the caller's wallet up by a card; the card's bank is asked afterwards.

Trigger   POST /v1/top-ups                   (user)
Reads     user, card, charge, limit
Writes    charge, change, hold, balance, card, limit   (one transaction)
Answers   202 the top-up, settling; 404 another's card; 409 a card that cannot pay, not this amount, or too much; 429 too many
          within a day
Again     the same Idempotency-Key gets the first answer; the card is charged once
May       people BatchGetItem; cards BatchGetItem PutItem UpdateItem; charges BatchGetItem PutItem Query; ledger PutItem UpdateItem;
          top_ups
"""

import os
from dataclasses import replace

from billfold import cards, charges, people
from billfold.cards import card_rows
from billfold.cards.card_errors import TooManyTopUps
from billfold.charges import charge_rows, charge_wire, top_ups
from billfold.money import Money
from billfold.people import people_rows
from billfold.tables import limit_rows
from billfold.tables.commits import Commit
from billfold.tables.rows import fetch
from billfold.triggers import http, wire


class TopUpWallet(wire.Body, frozen=True):
    card: wire.Id
    amount: wire.Amount


@http.step(body=TopUpWallet, answers=charge_wire.TopUpAnswer, key=True)
def handler(request: http.Request[TopUpWallet]) -> http.Answer:
    body, caller, now = request.body, request.caller, request.now
    operation, charge_id = request.operation("opr"), request.operation("chg")
    user, card, started_before, tries = fetch(
        people_rows.user(caller),
        card_rows.summary(body.card),
        charge_rows.started(charge_id),
        limit_rows.tries({"top_ups": [caller]}),
    )
    if started_before and (repeat := charge_rows.load(charge_id).repeat(operation, request.fingerprint)):
        return http.Answer(202, charge_wire.top_up(repeat[0]))

    amount = Money(body.amount.amount, wire.current_currency(body.amount.currency, "/amount/currency"))
    people.check_active(user)
    card = cards.check_can_pay(card, caller, amount, now)
    top_ups.check_amount(amount, top_ups.parse(os.environ["BILLFOLD_TOP_UPS"]))
    if wait_seconds := tries.wait_seconds(now):
        raise TooManyTopUps(retry_after_seconds=wait_seconds)
    hold, transfer = request.operation("hld"), request.operation("trf")
    started = charges.start(card, amount, "top_up", "", now, hold=hold, transfer=transfer)

    with Commit(charge_id) as commit:
        charge = charge_rows.start(commit, charge_id, replace(started, **request.origin()))
        limit_rows.count_try(commit, tries, now)

    return http.Answer(202, charge_wire.top_up(charge))
