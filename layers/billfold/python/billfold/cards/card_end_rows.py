"""A card's end, and what goes with it in the same transaction."""

from billfold.cards import COOL_DOWN, Card, card_answers, card_holder_rows, card_rows
from billfold.cards.card_changes import CardChange
from billfold.tables import limit_rows
from billfold.tables.commits import Commit
from billfold.vault import vault_rows


def add_end(commit: Commit, before: Card, change: CardChange) -> Card:
    """Add the end of a card to a commit: nobody holds it, the vault forgets it, and once a code was tried it cools down."""
    card = card_rows.add_change(commit, before, change)
    card_holder_rows.remove_holder(commit, card)
    vault_rows.erase(commit, card.card_id)
    if card_answers.cools_down(card):
        limit_rows.add_cooling(commit, card.owner, card.fingerprint, change.at + COOL_DOWN)
    return card
