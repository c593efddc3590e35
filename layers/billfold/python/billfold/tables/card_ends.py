"""A card's end, and what goes with it in the same transaction."""

from billfold.card_challenges import CODE_OVER
from billfold.card_changes import CardChange
from billfold.cards import Card
from billfold.tables import card_rows, limit_rows, vault_rows
from billfold.tables.rows import Commit


def put_over(commit: Commit, before: Card, change: CardChange) -> Card:
    """Add the end of a card to a commit: nobody holds it, the vault forgets it, and after a failed challenge it cools down."""
    card = card_rows.put_change(commit, before, change)
    card_rows.remove_holder(commit, card)
    vault_rows.erase(commit, card.card_id)
    if card.state == "declined" and card.reason == CODE_OVER:
        limit_rows.put_cooling(commit, card.owner, card.fingerprint, change.at)
    return card
