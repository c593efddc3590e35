"""Let a card's state machine go on: the bank's word has come, or the owner gave up.

Trigger   queue answers
Reads     card
Writes    nothing
Answers   resumed | nobody waits
Again     a token works once
May       cards BatchGetItem; machine bank_authentication SendTaskSuccess
"""

from billfold.tables import card_rows
from billfold.triggers import machines, queue


@queue.step
def handler(card_id: str) -> str:
    token = card_rows.waiting(card_id)

    resumed = bool(token) and machines.resume(token, {"card": card_id})

    return "resumed" if resumed else "nobody waits"
