"""Let a card's state machine go on: the bank's word has come, or the owner gave up.

Trigger   queue answers
Reads     card
Writes    nothing
Answers   resumed | nobody waits | nothing new: what it waits for has not come
Again     a token works once
May       cards BatchGetItem Query; machine bank_authentication SendTaskSuccess
"""

from billfold import cards, clock
from billfold.cards import card_rows
from billfold.triggers import machines, queue


@queue.step
def handler(card_id: str) -> str:
    card, token = card_rows.load(card_id).present, card_rows.waiting(card_id)
    if cards.standing(card, clock.now()) in ("ask", "challenge"):
        return "nothing new"

    resumed = bool(token) and machines.resume(token, {"card": card_id})

    return "resumed" if resumed else "nobody waits"
