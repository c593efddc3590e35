"""Give the owner's phone what it needs to confirm with the bank on the bank's own page, and hear how that stands.

Trigger   POST /v1/cards/{card}/challenge/page  (user's device)
Reads     card; user, device
Writes    card, change                       (one transaction, when the bank has given its word)
Answers   200 the card, with the page while the bank waits; 403 another phone than the one that bound it; 404 another's card
Again     the bank is asked how it stands, and its word is recorded once; the page is kept nowhere, so each answer is today's
May       cards PutItem Query UpdateItem; people BatchGetItem; bank
Layers    stripe
"""

from typing import Any

from billfold import banks, cards, people
from billfold.cards import card_answers, card_codes, card_rows, card_wire
from billfold.errors import Unavailable
from billfold.people import people_rows
from billfold.tables.commits import Commit
from billfold.tables.rows import fetch
from billfold.triggers import dpop, http


@http.step(answers=card_wire.CardAnswer, key=True, dpop=True)
def handler(request: http.Request[Any]) -> http.Answer:
    caller, now, device_id = request.caller, request.now, dpop.device(request)
    card = cards.check_found(card_rows.load(request.parameters["card"]).present, caller)
    user, device = fetch(people_rows.user(caller), people_rows.device(caller, device_id))
    people.check_own_device(card.owner, card.device, user, device)

    if not card_codes.awaits_page(card, now):
        return http.Answer(200, card_wire.card(card))
    said = banks.bank(card.bank).challenge(f"{card.card_id}/authentication", card.reference)
    if said.outcome == "unknown":
        raise Unavailable()
    heard = card_answers.hear(card, card_answers.answered(said, "page", now))

    if heard:
        with Commit(request.operation("opr")) as commit:
            card = card_rows.add_change(commit, card, heard)

    return http.Answer(200, card_wire.card(card, said.page))
