"""End a card whose state machine never did: it never started, failed at every try, or was stopped.

Trigger   queue due-cards
Reads     card
Writes    card, change, vault, holders, limits   (one transaction)
Answers   the state that it ended in | nothing due
Again     it ends once; an approval that it may have at the bank is withdrawn as after every end
May       cards PutItem Query UpdateItem; vault DeleteItem
"""

from billfold import cards, clock
from billfold.cards import card_end_rows, card_rows
from billfold.tables.commits import Commit
from billfold.triggers import queue


@queue.step
def handler(card_id: str) -> str:
    now, card = clock.now(), card_rows.load(card_id).present

    ended = cards.on_deadline(card, now)
    if ended is None:
        return "nothing due"

    with Commit(f"{card_id}/expire") as commit:
        card_end_rows.add_end(commit, card, ended)

    return ended.state
