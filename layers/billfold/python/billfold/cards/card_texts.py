"""What a card's owner hears of its state, in words."""

from billfold.cards import OUT_OF_DATE
from billfold.cards.card_challenges import CODE_OVER, PAGE_OVER


def text(state: str, brand: str, last4: str, reason: str, way: str = "code") -> str:
    """What the owner hears of a card's state; never which detail did not match (CB-11, CB-13, CB-15)."""
    if state == "active":
        return f"{brand} ending {last4} is now linked. You can pay with it."
    if state == "declined" and reason == CODE_OVER:
        return "The code was not entered in time, or was wrong too often. Try again tomorrow."
    if state == "expired" and reason == PAGE_OVER:
        return "You did not confirm with your bank in time. You were not charged. Try again."
    if state == "expired" and reason == OUT_OF_DATE:
        return "This card has expired."
    if state == "challenged" and way == "redirect":
        return "Confirm with your bank to link the card."
    return {
        "declined": "The details do not match the bank's records.",
        "expired": "The bank did not answer. You were not charged.",
        "invalid": "This card has expired.",
        "challenged": "Your bank has sent you a code. Enter it to link the card.",
    }.get(state, "")
