"""Have the bank take back its approval of a card that is over; a bank that has not answered is asked for its answer first (CB-14).

Trigger   queue withdrawals
Reads     card
Writes    card, change                       (one transaction for a late answer of the bank; one once the bank took it back)
Answers   withdrawn | nothing to withdraw | unknown, asked again later | unknown, left to the bank's callback; an approval that
          the bank does not take back in two hours rests as a dead letter
Again     the bank is asked with the same key; it is recorded once
May       cards PutItem Query UpdateItem; postpone withdrawals; bank
Layers    stripe
"""

from billfold import banks, charges, clock
from billfold.banks import Bank, Verdict
from billfold.cards import Card, card_answers, card_rows
from billfold.cards.card_changes import CardChange, Withdrawn
from billfold.errors import Unavailable
from billfold.tables.commits import Commit
from billfold.triggers import queue


@queue.patient_step("withdrawals")
def handler(card_id: str, before: int) -> str | queue.Later:
    card = card_rows.load(card_id).present
    bank = banks.bank(card.bank)

    if card_answers.is_unheard(card):
        said = bank.status(f"{card_id}/authentication")
        if said.outcome == "unknown":
            return _ask_later(before)
        if heard := _heard(card, said):
            card = _commit(card, heard, "late")
    if not card_answers.is_to_withdraw(card):
        return "nothing to withdraw"
    if _withdraw(bank, card) != "refunded":
        return _ask_later(before, known=True)

    _commit(card, Withdrawn(at=clock.now()), "withdrawn")
    return "withdrawn"


def _heard(card: Card, said: object) -> CardChange | None:
    if not isinstance(said, Verdict):
        return None
    return card_answers.hear(card, card_answers.answered(said, "asking", clock.now()))


def _withdraw(bank: Bank, card: Card) -> str:
    reference = card.late_reference or card.reference
    return str(bank.withdraw(f"{card.card_id}/withdrawal", reference).outcome)


def _commit(card: Card, change: CardChange, name: str) -> Card:
    with Commit(f"{card.card_id}/{name}") as commit:
        card = card_rows.add_change(commit, card, change)
    return card


def _ask_later(before: int, *, known: bool = False) -> str | queue.Later:
    delay = charges.delay_seconds(before)
    if delay is None and known:
        # No callback will tell of it, and it must not stay: as a dead letter it raises the alarm.
        raise Unavailable()
    if delay is None:
        return "unknown, left to the bank's callback"
    return queue.Later(delay, "unknown, asked again later")
