"""Show a card to its owner: how far its authentication is, or that it can pay.

Trigger   GET /v1/cards/{card}               (user)
Reads     card
Writes    nothing
Answers   200 the card; 404 unknown, or another's
Again     reading changes nothing
May       cards Query
"""

from typing import Any

from billfold import cards
from billfold.cards import card_rows, card_wire
from billfold.triggers import http


@http.step(answers=card_wire.CardAnswer)
def handler(request: http.Request[Any]) -> http.Answer:
    card = cards.check_found(card_rows.load(request.parameters["card"]).present, request.caller)

    return http.Answer(200, card_wire.card(card.at(request.now)))
