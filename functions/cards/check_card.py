"""Begin a card's authentication, unless it is under way, over, or no card any more.

Trigger   task bank_authentication
Reads     card
Writes    card, change; of one that has expired since, vault and holders   (one transaction)
Answers   ask, or over
Again     a card that was begun is asked about again
May       cards PutItem Query UpdateItem; vault DeleteItem
"""

from billfold import cards, clock
from billfold.cards import card_end_rows, card_rows
from billfold.cards.card_changes import Ended
from billfold.tables.commits import Commit
from billfold.triggers import workflow


@workflow.step
def handler(event: workflow.Input) -> workflow.Output:
    now, card = clock.now(), card_rows.load(event["card"]).present

    change = cards.begin(card, now)
    if change:
        with Commit(f"{card.card_id}/check") as commit:
            put = card_end_rows.add_end if isinstance(change, Ended) else card_rows.add_change
            card = put(commit, card, change)

    return {"card": card.card_id, "outcome": "ask" if card.state in cards.OPEN else "over"}
