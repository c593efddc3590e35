"""Have the bank send another code.

Trigger   POST /v1/cards/{card}/challenge/resend  (user)
Reads     card; user
Writes    card, change                       (one transaction, before the bank is asked)
Answers   200 the card, with its challenge; 404 another's card; 409 no code is awaited, or no resend is left; 429 too soon
Again     the same Idempotency-Key is the same resend; the bank sends one code for it
May       cards PutItem Query UpdateItem; people BatchGetItem; bank
Layers    stripe
"""

from dataclasses import replace
from typing import Any

from billfold import banks, cards, people
from billfold.cards import card_codes, card_rows, card_wire
from billfold.errors import Unavailable
from billfold.people import people_rows
from billfold.tables.commits import Commit
from billfold.tables.rows import fetch
from billfold.triggers import http


@http.step(answers=card_wire.CardAnswer, key=True)
def handler(request: http.Request[Any]) -> http.Answer:
    journal, operation = card_rows.load(request.parameters["card"]), request.operation("opr")
    card = cards.check_found(journal.present, request.caller)
    if repeat := journal.repeat(operation, request.fingerprint):
        card, _ = repeat
    else:
        people.check_active(fetch(people_rows.user(request.caller)))
        sent = replace(card_codes.resend(card, request.now), **request.origin())
        with Commit(operation) as commit:
            card = card_rows.add_change(commit, card, sent)

    key = f"{card.card_id}/challenge/{card.challenge.sent}"
    if banks.bank(card.bank).send_challenge(key, card.reference).outcome == "unknown":
        raise Unavailable()
    return http.Answer(200, card_wire.card(card))
