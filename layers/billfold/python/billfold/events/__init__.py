"""Events: what a change means to those who are told of it. Names follow the states people see."""

from dataclasses import dataclass
from typing import Any, Literal, get_args

from billfold.clock import HOUR

# A change comes again for a day from its stream, and for two weeks each from its queue and the dead letters.
TOLD_KEPT = 35 * 24 * HOUR
VERIFICATION_REQUESTED = "bill.verification_requested"
# The change's kind, and the state that it led to where one kind can lead to several.
KINDS: dict[tuple[str, str], str] = {
    ("opened", ""): "bill.opened",
    ("items_added", ""): "bill.items_added",
    ("item_voided", ""): "bill.item_voided",
    ("item_disputed", ""): "bill.item_disputed",
    ("item_disputed", "cancelled"): "bill.cancelled",
    ("closed", "verifying"): VERIFICATION_REQUESTED,
    ("closed", "expired_empty"): "bill.expired_empty",
    ("reminded", ""): "bill.verification_reminded",
    ("unpaid", ""): "bill.unpaid",
    ("settling", ""): "bill.settling",
    ("settlement_failed", ""): "bill.settlement_failed",
    ("settled", ""): "bill.settled",
    ("refunded", ""): "bill.refunded",
}
# Likewise; a card ends in the state that it is told by, a challenge is told by its way.
CARD_KINDS: dict[tuple[str, str], str] = {
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
# A charge's purpose and state.
CHARGE_KINDS: dict[tuple[str, str], str] = {
    ("top_up", "settling"): "top_up.started",
    ("top_up", "settled"): "top_up.settled",
    ("top_up", "declined"): "top_up.declined",
    ("refund", "settled"): "bill.refund_paid",
    ("refund", "failed"): "bill.refund_credited",
    ("refund", "declined"): "bill.refund_credited",
}
# A transfer between people, by which of them is told.
TRANSFER_KINDS = {"payer": "transfer.sent", "payee": "transfer.received"}
# What happens to users and merchants, told by the steps that do it.
OutboxKind = Literal[
    "device.registered",
    "device.removed",
    "pin.set",
    "pin.changed",
    "pin.wrong",
    "pin.locked",
    "user.suspended",
    "user.resumed",
    "merchant.created",
    "merchant.suspended",
    "merchant.resumed",
    "terminal.registered",
    "terminal.revoked",
]


def kinds() -> list[str]:
    """Every kind of event that anybody is told of."""
    of_changes = (KINDS, CARD_KINDS, CHARGE_KINDS, TRANSFER_KINDS)
    return sorted({*get_args(OutboxKind), *(kind for told in of_changes for kind in told.values())})


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened, for one audience (a user or a merchant). `change` is the same for every delivery of it."""

    change: str
    audience: str
    kind: str
    about: str
    at: int
    facts: dict[str, Any]


def owners_kinds(change: str, state: str, *, asks: bool) -> list[str]:
    """The names of the events that a change of a bill is to its owner; `asks`: it makes a list to verify (VB-14)."""
    told = KINDS.get((change, state)) or KINDS[change, ""]
    return list(dict.fromkeys([told, *([VERIFICATION_REQUESTED] if asks else [])]))


def sellers_kind(change: str) -> str:
    """The event's name for a change of a bill that touches a seller's items: what the bill became is the owner's affair."""
    return KINDS[change, ""]


def card_kind(change: str, state: str) -> str:
    """The event's name for a change of a card; empty for what its owner is not told."""
    return CARD_KINDS.get((change, state)) or CARD_KINDS.get((change, ""), "")


def charge_kind(change: str, purpose: str, state: str) -> str:
    """The event's name for a change of a charge; empty where the bill tells, and of a dispute, which is operations' affair:
    the charge that the bank reinstates is settled again, and its owner has heard so."""
    return "" if change in ("disputed", "reinstated") else CHARGE_KINDS.get((purpose, state), "")
