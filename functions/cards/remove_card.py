"""Remove a card, or give up binding it; it is unusable at once.

Trigger   DELETE /v1/cards/{card}            (user)
Reads     card; user
Writes    card, change, vault, holders, limits; wrong PIN: user, outbox   (one transaction; the PIN must be as it was read)
Answers   204; 403 wrong PIN; 404 another's card; 409 a payment with it is under way
Again     a card that is over is 204 too; a wrong PIN is one more try each time
May       cards BatchGetItem ConditionCheckItem PutItem Query UpdateItem; vault DeleteItem;
          people BatchGetItem ConditionCheckItem UpdateItem; outbox PutItem
"""

from billfold import cards, people
from billfold.cards import card_end_rows, card_rows
from billfold.cards.card_errors import CardBusy
from billfold.errors import Stale
from billfold.people import PinVerification, people_rows, pins
from billfold.tables.commits import Commit
from billfold.tables.rows import fetch
from billfold.triggers import http, wire


class RemoveCard(wire.Body, frozen=True):
    pin: wire.Pin


@http.step(body=RemoveCard)
def handler(request: http.Request[RemoveCard]) -> http.Answer:
    now, token = request.now, f"{request.request_id}/{request.parameters['card']}"
    card = cards.check_found(card_rows.load(request.parameters["card"]).present, request.caller)
    user, head = fetch(people_rows.user(request.caller), card_rows.head(card.card_id))
    change = cards.remove(card, now)
    if change is None:
        return http.Answer(204)

    user = people.check_active(user)
    if head is None or head.revision != card.revision:
        raise Stale()
    if head.charges:
        raise CardBusy()
    if wrong := PinVerification(request.body.pin).verify(user.pin, now, pins.matches):
        with Commit(token) as commit:
            # Who removed it at the same moment, with the right PIN, is not told that the PIN was wrong.
            card_rows.check_as_read(commit, card)
            people_rows.count_try(commit, user, wrong[0], now)
        raise wrong[1]

    with Commit(token) as commit:
        people_rows.check_pin(commit, request.caller, user.pin)
        card_end_rows.add_end(commit, card, change)

    return http.Answer(204)
