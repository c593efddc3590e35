"""Make an approved card one that can pay.

Trigger   task bank_authentication
Reads     card
Writes    card, change, vault                (one transaction; the person's details are forgotten)
Answers   active, or over: it was cancelled before
Again     an active card stays so
May       cards PutItem Query UpdateItem; vault UpdateItem
"""

from billfold import cards, clock
from billfold.cards import card_rows
from billfold.cards.card_changes import Activated
from billfold.tables.commits import Commit
from billfold.triggers import workflow
from billfold.vault import vault_rows


@workflow.step
def handler(event: workflow.Input) -> workflow.Output:
    now, card = clock.now(), card_rows.load(event["card"]).present

    if cards.standing(card, now) == "approved":
        with Commit(f"{card.card_id}/activate") as commit:
            card = card_rows.add_change(commit, card, Activated(at=now))
            vault_rows.forget_person(commit, card.card_id)

    return {"card": card.card_id, "outcome": "active" if card.state == "active" else "over"}
