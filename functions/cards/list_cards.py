"""List the caller's cards, newest first.

Trigger   GET /v1/cards                      (user)
Reads     index of owners, cards
Writes    nothing
Answers   200 a page of cards
Again     reading changes nothing
May       cards BatchGetItem Query:by_owner
"""

from typing import Any

from billfold.cards import card_rows, card_wire
from billfold.triggers import http, lists, wire


@http.step(answers=list[card_wire.CardAnswer], query=lists.PAGED)
def handler(request: http.Request[Any]) -> http.Answer:
    limit, before = lists.limit(request), lists.position(request)
    summaries, position = card_rows.summaries(request.caller, before=before, limit=limit)

    shown = [card_wire.summary(card.at(request.now)) for card in summaries]
    return http.Answer(200, wire.Page(shown, lists.cursor(request, position)))
