"""Events: what a change of a bill means to those who are told of it. Names follow the states that people see."""

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
