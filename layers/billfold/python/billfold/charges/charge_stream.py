"""What a charge's changes have done: its bank asked, its owner told."""

from typing import Any

from billfold.charges import charge_rows
from billfold.events import Event

# By the charge's purpose and state; of a bill's charge, the bill tells.
EVENTS = {
    ("top_up", "settling"): "top_up.started",
    ("top_up", "settled"): "top_up.settled",
    ("top_up", "declined"): "top_up.declined",
    ("refund", "settled"): "bill.refund_paid",
    ("refund", "failed"): "bill.refund_credited",
    ("refund", "declined"): "bill.refund_credited",
}


def messages(image: dict[str, Any]) -> list[tuple[str, str]]:
    """The queue that asks the bank, for a charge that has just started."""
    row = charge_rows.JOURNALS.inserted(image)
    return [("charges", row.pk)] if row and row.kind == "started" else []


def events_of(image: dict[str, Any]) -> list[Event]:
    """The event that a row inserted into this table means for the card's owner; of a bill, the bill tells."""
    row = charge_rows.JOURNALS.inserted(image)
    if row is None:
        return []
    kind = EVENTS.get((row.purpose, row.state))
    if not kind or row.kind in ("disputed", "reinstated"):
        return []
    facts = {"state": row.state, "card": row.card, "amount": {"amount": row.amount, "currency": row.currency}}
    # Nobody can read a refund's charge: it is told of as its bill.
    about = row.about or row.pk
    return [Event(f"{row.pk}/{row.sk}", row.user, kind, about, row.facts["at"], facts)]
