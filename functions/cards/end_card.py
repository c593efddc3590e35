"""End a card that its bank declined or did not approve in time; nothing of it stays in the vault.

Trigger   task bank_authentication
Reads     card
Writes    card, change, vault, holders, limits   (one transaction)
Answers   the state that it ended in
Again     it ends once
May       cards PutItem Query UpdateItem; vault DeleteItem
"""

from billfold import cards, clock
from billfold.cards import card_end_rows, card_rows
from billfold.tables.commits import Commit
from billfold.triggers import workflow


@workflow.step
def handler(event: workflow.Input) -> workflow.Output:
    now, card = clock.now(), card_rows.load(event["card"]).present

    if ended := cards.end(card, now):
        with Commit(f"{card.card_id}/end") as commit:
            card = card_end_rows.add_end(commit, card, ended)

    return {"card": card.card_id, "outcome": card.state}
