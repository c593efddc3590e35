"""What can happen to a charge or to a refund of one: immutable changes. `charges.after` adds one up."""

from dataclasses import dataclass, field

from billfold.changes import Change


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargeChange(Change):
    """What happened to a charge."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Started(ChargeChange):
    """Money is held, and the bank is to be asked.

    `purpose`: top_up, bill or refund; `about`: the bill; `of`: of a refund, the bank's reference of the charge. `hold` and
    `transfer` are the ids that the ledger uses for it.
    """

    owner: str
    card: str
    bank: str
    token: str = field(repr=False)
    amount: int
    currency: str
    purpose: str
    about: str
    of: str
    hold: str
    transfer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled(ChargeChange):
    """The bank did it, under this reference of its own."""

    reference: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Declined(ChargeChange):
    """The bank will not; `reason` is for operations."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundFailed(ChargeChange):
    """A refund that was settled did not reach the card after all; its money went to the wallet."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Disputed(ChargeChange):
    """The holder contests a settled charge, and the bank took so much back, which `transfer` books."""

    dispute: str
    amount: int
    transfer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reinstated(ChargeChange):
    """The bank returned what it had taken for a dispute; `transfer` books it."""

    dispute: str
    transfer: str
