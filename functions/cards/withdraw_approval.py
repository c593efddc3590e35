"""Have the bank take back an approval of a card that is over (CB-14).

Trigger   queue withdrawals
Reads     card
Writes    card, change                       (one transaction, after the bank took it back)
Answers   withdrawn | nothing to withdraw
Again     the bank is asked with the same key; it is recorded once
May       cards PutItem Query UpdateItem; bank
Layers    stripe
"""

from billfold import banks, cards, clock
from billfold.card_changes import Withdrawn
from billfold.errors import Unavailable
from billfold.tables import card_rows
from billfold.tables.rows import Commit
from billfold.triggers import queue


@queue.step
def handler(card_id: str) -> str:
    card = card_rows.load(card_id).present
    if not cards.is_to_withdraw(card):
        return "nothing to withdraw"

    reference = card.late_reference or card.reference
    if banks.bank(card.bank).refund(f"{card_id}/withdrawal", reference, None).outcome == "unknown":
        raise Unavailable()

    commit = Commit(f"{card_id}/withdrawn")
    card_rows.put_change(commit, card, Withdrawn(clock.now()))
    commit.send()

    return "withdrawn"
