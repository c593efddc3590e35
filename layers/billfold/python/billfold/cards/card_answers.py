"""What a bank's word does to a card, also once the card is over: an approval must not stay alive at the bank (CB-13, CB-14)."""

from billfold import cards
from billfold.banks import Verdict
from billfold.cards.card_challenges import CODE_OVER
from billfold.cards.card_changes import Answered, ApprovedLate, CardChange


def answered(said: Verdict, by: str, now: int) -> Answered:
    """What a bank says as the change that records it; `by` the way it came."""
    return Answered(
        at=now,
        outcome=said.outcome,
        by=by,
        reference=said.reference,
        token=said.token,
        reason=said.reason,
        way=said.way,
    )


def hear(card: cards.Card, answer: Answered) -> CardChange | None:
    """What a bank's word, whichever way and however often it comes, changes. None: nothing new.

    An approval of what is over, or was declined, never activates: it is recorded, to be withdrawn (CB-14). A verdict stands
    once given, and silence does not undo a challenge.
    """
    if card.state not in cards.OPEN or card.verdict == "declined":
        new = answer.outcome == "approved" and card.verdict != "approved" and not card.late_reference
        return ApprovedLate(at=answer.at, reference=answer.reference or card.reference) if new else None
    if card.verdict == "approved" or answer.outcome == "absent":
        return None
    if answer.outcome == "unknown":
        return None if card.verdict == "challenge" else answer
    return None if answer.outcome == card.verdict else answer


def is_unheard(card: cards.Card) -> bool:
    """Whether a card ended after its bank was asked and before it gave its word: it may hold an approval (CB-14)."""
    asked = card.state in cards.ENDS and bool(card.fields_sent)
    return asked and card.verdict not in ("approved", "declined") and not card.late_reference


def is_to_withdraw(card: cards.Card) -> bool:
    """Whether the bank holds an approval for a card that is over, or that it declined: it is asked to take it back (CB-14)."""
    over = card.state in cards.ENDS and card.verdict == "approved"
    return not card.withdrawn and (over or bool(card.late_reference))


def cools_down(card: cards.Card) -> bool:
    """Whether its owner must wait before trying it again (CB-09): it ended, and its codes ran out, or some of its tries or resends
    were spent, which a new binding would give back."""
    spent = card.challenge.refused or card.challenge.sent > 1 or (card.challenge.tries and card.verdict != "approved")
    return card.state in cards.ENDS - {"removed"} and (card.reason == CODE_OVER or bool(spent))
