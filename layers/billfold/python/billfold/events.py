"""Events: what a change of a bill, card or charge means to those who are told of it. Names follow the states people see."""

from dataclasses import dataclass
from typing import Any

# The change's kind, and the state that it led to where one kind can lead to several.
KINDS: dict[tuple[str, str], str] = {
    ("opened", ""): "bill.opened",
    ("items_added", ""): "bill.items_added",
    ("item_voided", ""): "bill.item_voided",
    ("item_disputed", ""): "bill.item_disputed",
    ("item_disputed", "cancelled"): "bill.cancelled",
    ("closed", "verifying"): "bill.verification_requested",
    ("closed", "expired_empty"): "bill.expired_empty",
    ("reminded", ""): "bill.verification_reminded",
    ("unpaid", ""): "bill.unpaid",
    ("settling", ""): "bill.settling",
    ("settlement_failed", ""): "bill.settlement_failed",
    ("settled", ""): "bill.settled",
    ("refunded", ""): "bill.refunded",
}


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened, for one audience (a user or a merchant). `change` is the same for every delivery of it."""

    change: str
    audience: str
    kind: str
    about: str
    at: int
    facts: dict[str, Any]


def kind_of(change: str, state: str) -> str:
    """The event's name for a change of a bill."""
    return KINDS.get((change, state)) or KINDS[change, ""]


def card_kind(change: str, state: str) -> str:
    """The event's name for a change of a card; empty for what its owner is not told."""
    told = {
        "bound": "created",
        "challenge_sent": "code_requested",
        "activated": "linked",
        "removed": "removed",
        "expiry_updated": "updated",
        "ended": state,
    }
    return f"card.{told[change]}" if change in told else ""


def charge_kind(purpose: str, state: str) -> str:
    """The event's name for a change of a charge; empty where the bill tells."""
    if purpose == "top_up":
        return {"settling": "top_up.started", "settled": "top_up.settled", "declined": "top_up.declined"}[state]
    return "bill.refund_paid" if purpose == "refund" and state == "settled" else ""
