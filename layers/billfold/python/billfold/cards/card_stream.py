"""What a card's changes have done: its machine started or resumed, an approval withdrawn, its owner told."""

from typing import Any

from billfold import cards
from billfold.cards import card_rows, card_texts
from billfold.events import Event

# By the change's kind, and the state that it led to where one kind can lead to several; of a challenge, its way. What is not here
# its owner is not told.
EVENTS = {
    ("bound", ""): "card.created",
    ("challenge_sent", ""): "card.code_requested",
    ("challenge_sent", "redirect"): "card.confirmation_requested",
    ("activated", ""): "card.linked",
    ("expiry_updated", ""): "card.updated",
    ("removed", ""): "card.removed",
    ("ended", "invalid"): "card.invalid",
    ("ended", "declined"): "card.declined",
    ("ended", "expired"): "card.expired",
    ("ended", "cancelled"): "card.cancelled",
}
# The machine itself asked for an answer that came by asking. Every other answer resumes the machine.
RESUMING = ("answered", "code_refused", "ended")


def messages(image: dict[str, Any]) -> list[tuple[str, str]]:
    """The queues to which an inserted row sends the card's id. Events are made by `events_of`."""
    row = card_rows.JOURNALS.inserted(image)
    if row is None:
        return []
    found = []
    if row.kind == "bound":
        found.append(("authentications", row.pk))
    if row.kind in RESUMING and row.facts.get("by") != "asking":
        found.append(("answers", row.pk))
    # The card ended before the bank answered, so the bank may still approve it. The bank may also approve a card that we declined
    # after too many codes, when the bank never judged the last code.
    unheard = row.kind == "ended" and row.state in ("expired", "cancelled", "declined") and row.verdict != "declined"
    approved = row.state in cards.ENDS and row.verdict == "approved" and row.kind != "withdrawn"
    if row.kind == "approved_late" or approved or unheard:
        found.append(("withdrawals", row.pk))
    return found


def events_of(image: dict[str, Any]) -> list[Event]:
    """The event that a row inserted into this table means for the card's owner; none for what only banks and we see."""
    row = card_rows.JOURNALS.inserted(image)
    if row is None:
        return []
    way = row.facts.get("way", "")
    kind = EVENTS.get((row.kind, way or row.state)) or EVENTS.get((row.kind, ""))
    if not kind:
        return []
    text = card_texts.text(row.state, row.brand, row.last4, row.facts.get("reason", ""), way)
    told = {"revision": int(row.sk), "state": row.state, "brand": row.brand, "last4": row.last4}
    facts = told | ({"text": text} if text else {})
    return [Event(f"{row.pk}/{row.sk}", row.user, kind, row.pk, row.facts["at"], facts)]
