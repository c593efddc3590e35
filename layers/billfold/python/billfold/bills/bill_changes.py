"""What can happen to a bill: its changes, each immutable, each committed by one step. `bills.after` adds one up."""

from dataclasses import dataclass, field
from typing import Any

from billfold.changes import Change


@dataclass(frozen=True, slots=True)
class Item:
    """One signed line tapped into a bill; what its signature covers is kept whole, as the seller's evidence."""

    item_id: str
    merchant: str
    terminal: str
    counter: int
    signed_at: int
    amount: int
    lines: list[dict[str, Any]]
    signed_at_text: str
    signature: str
    state: str = "added"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one item sent: added, repeated (both with its id) or refused (with the refusal's code and facts)."""

    outcome: str
    item_id: str = ""
    refusal: str = ""
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class BillChange(Change):
    """What happened to a bill. `tries_left` is what the request's answer said of the PIN, for the first answer's sake."""

    tries_left: int = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened(BillChange):
    owner: str
    device: str
    currency: str
    expires_at: int
    cap: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemsAdded(BillChange):
    """`outcomes` has one entry per item sent, in order; only the added ones are in `items`."""

    items: list[Item]
    outcomes: list[Outcome]
    late: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemVoided(BillChange):
    item_id: str
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemDisputed(BillChange):
    item_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed(BillChange):
    """The period is over: `by_user` or by time. Empty, the bill ends; otherwise its verification is requested."""

    by_user: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Reminded(BillChange):
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class Unpaid(BillChange):
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class Settling(BillChange):
    """Verified, to be paid by a card, whose bank is being asked for this charge."""

    charge: str
    card: str
    list_hash: str
    method: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SettlementFailed(BillChange):
    """Verified, but the instrument could not pay; `refusal` is the code why and `facts` what was answered with it."""

    refusal: str
    facts: dict[str, Any]


@dataclass(frozen=True, slots=True)
class PaidBy:
    """The card that paid, and the bank's reference of the charge, which refunds go back by."""

    card: str
    bank: str
    reference: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled(BillChange):
    """Paid; `paid_by` is None when the wallet paid."""

    transfer_id: str
    list_hash: str
    method: str
    paid_by: PaidBy | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Refunded(BillChange):
    transfer_id: str
    items: list[str]
    reason: str
    by: str
