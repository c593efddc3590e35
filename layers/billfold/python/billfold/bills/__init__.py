"""Virtual bills: opened for a device, filled by taps, verified once, paid once (VB-01 to VB-20).

    active ──► verifying ──► settled ──► partially_refunded ──► refunded
       │           │  ▲         ▲
       │           │  └─ late tap (ended by its period only)
       │           ├──► failed ─┘   (not enough money: items kept, verify again)
       │           ├──► cancelled   (every item was disputed; so does `failed`)
       │           └──► unpaid      (nobody verified within 30 minutes; so does `failed`)
       └──► expired_empty           (a late tap still makes it `verifying`)

    verifying or failed ──► settling ──► settled or failed   (paid by card: while its bank is asked)

A bill is the sum of its changes, in order: `new` makes it of the first, `after` adds one more, so a bill can be shown as it was
after any of them. A rule looks at a bill and answers with the next change or refuses; `bill_rows` commits it. `closed` and
`verified` are passed within one commit; so is `settling` when a wallet pays.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from billfold import errors
from billfold.bills import bill_errors
from billfold.bills.bill_changes import (
    BillChange,
    Closed,
    Item,
    ItemDisputed,
    ItemsAdded,
    ItemVoided,
    Opened,
    PaidBy,
    Refunded,
    Reminded,
    Settled,
    SettlementFailed,
    Settling,
    Unpaid,
)
from billfold.clock import HOUR, MINUTE, SECOND
from billfold.ledger import Account, sales
from billfold.money import Money

# `closed` and `verified` are passed within one commit (VB-13, VB-17).
STATES = (
    "active",
    "verifying",
    "settling",
    "failed",
    "settled",
    "partially_refunded",
    "refunded",
    "unpaid",
    "expired_empty",
    "cancelled",
)
ITEM_STATES = ("added", "voided", "disputed", "settled", "refunded")
PERIOD_DEFAULT = 4 * HOUR
PERIOD_MIN, PERIOD_MIN_SANDBOX, PERIOD_MAX = 5 * MINUTE, 5 * SECOND, 24 * HOUR
LATE_TAP = 10 * MINUTE
VERIFY_WITHIN = 30 * MINUTE
REMIND_AFTER = 15 * MINUTE
MAX_ITEMS = 200
MAX_REVISIONS = 1000  # 400 batches, 200 disputes and hundreds of tries to pay, no more
OPEN_FOR_PAYMENT = frozenset({"verifying", "failed"})


@dataclass(frozen=True, slots=True)
class Bill:
    """A bill after `revision` changes. Instants in milliseconds, amounts in minor units."""

    bill_id: str
    owner: str
    device: str
    currency: str
    opened_at: int
    expires_at: int
    cap: int | None
    state: str = "active"
    revision: int = 1
    items: tuple[Item, ...] = ()
    ended_at: int | None = None
    closed_by_user: bool = False
    verify_by: int | None = None
    reminded: bool = False
    transfer_id: str = ""
    charge_id: str = ""
    paid_by: PaidBy | None = None
    refunds: tuple[Refunded, ...] = ()
    refused_items: int = 0

    @property
    def payable(self) -> tuple[Item, ...]:
        """The items that count: neither voided nor disputed."""
        return tuple(item for item in self.items if item.state not in ("voided", "disputed"))

    @property
    def total(self) -> Money:
        """The server's sum of the items (VB-10)."""
        return Money(sum(item.amount for item in self.payable), self.currency)

    @property
    def refunded(self) -> Money:
        return Money(sum(item.amount for item in self.items if item.state == "refunded"), self.currency)

    @property
    def late_until(self) -> int:
        """Until when an item signed within the period is still taken (VB-08)."""
        return self.expires_at + LATE_TAP

    @property
    def due_at(self) -> int | None:
        """When time will next change this bill, if it will."""
        if self.state == "active":
            return self.expires_at
        if self.state in OPEN_FOR_PAYMENT and self.verify_by is not None:
            return self.verify_by if self.reminded else self.verify_by - VERIFY_WITHIN + REMIND_AFTER
        return None

    def list_hash(self) -> str:
        """SHA-256 over the exact list to be paid, which a verification is bound to (VB-14)."""
        items = [[item.item_id, item.merchant, item.amount, item.signed_at] for item in self.payable]
        text = json.dumps([self.bill_id, self.currency, items], separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    def by_seller(self) -> dict[str, int]:
        """What each seller is owed, in the order of first taps."""
        owed: dict[str, int] = {}
        for item in self.payable:
            owed[item.merchant] = owed.get(item.merchant, 0) + item.amount
        return owed

    def payees(self) -> list[tuple[Account, int]]:
        """Each seller's account and what is owed to it."""
        return [(sales(merchant, self.currency), amount) for merchant, amount in self.by_seller().items()]

    def item(self, item_id: str) -> Item:
        for item in self.items:
            if item.item_id == item_id:
                return item
        raise errors.NotFound()


@dataclass(frozen=True, slots=True)
class Summary:
    """One line of a list of bills."""

    bill_id: str
    device: str
    state: str
    total: Money
    opened_at: int
    expires_at: int


def new(bill_id: str, opened: BillChange) -> Bill:
    """The bill that its opening makes."""
    assert isinstance(opened, Opened), "a bill's first change is its opening"
    return Bill(bill_id, opened.owner, opened.device, opened.currency, opened.at, opened.expires_at, opened.cap)


def after(bill: Bill, change: BillChange) -> Bill:
    """The bill with one more change."""
    changed = replace(bill, revision=bill.revision + 1)
    match change:
        case ItemsAdded():
            refused = sum(outcome.outcome == "refused" for outcome in change.outcomes)
            items, refused = bill.items + tuple(change.items), bill.refused_items + refused
            changed = replace(changed, items=items, refused_items=refused)
            reopened = bill.state == "expired_empty" and change.items
            return _awaiting_verification(changed, change.at) if reopened else changed
        case ItemVoided():
            return replace(changed, items=_with_state(bill.items, [change.item_id], "voided"))
        case ItemDisputed():
            changed = replace(changed, items=_with_state(bill.items, [change.item_id], "disputed"))
            return replace(changed, state="cancelled") if bill.state != "active" and not changed.payable else changed
        case Closed():
            changed = replace(changed, ended_at=change.at, closed_by_user=change.by_user)
            return (
                _awaiting_verification(changed, change.at) if bill.payable else replace(changed, state="expired_empty")
            )
        case Reminded():
            return replace(changed, reminded=True)
        case Unpaid():
            return replace(changed, state="unpaid")
        case SettlementFailed():
            return replace(changed, state="failed")
        case Settled():
            paid = _with_state(bill.items, [item.item_id for item in bill.payable], "settled")
            return replace(changed, state="settled", items=paid, transfer_id=change.transfer_id, paid_by=change.paid_by)
        case Settling():
            return replace(changed, state="settling", charge_id=change.charge)
        case Refunded():
            items = _with_state(bill.items, change.items, "refunded")
            left = any(item.state == "settled" for item in items)
            state = "partially_refunded" if left else "refunded"
            return replace(changed, state=state, items=items, refunds=(*bill.refunds, change))
    raise TypeError(f"no such change: {change!r}")


def asks_anew(before: Bill | None, after: Bill) -> bool:
    """Whether a change makes a list to verify that nobody was asked to verify yet (VB-13, VB-14)."""
    if before is None or after.state not in OPEN_FOR_PAYMENT:
        return False
    return before.state in ("active", "expired_empty") or before.list_hash() != after.list_hash()


def _awaiting_verification(bill: Bill, now: int) -> Bill:
    return replace(bill, state="verifying", verify_by=now + VERIFY_WITHIN)


def _with_state(items: Sequence[Item], item_ids: Iterable[str], state: str) -> tuple[Item, ...]:
    named = set(item_ids)
    return tuple(replace(item, state=state) if item.item_id in named else item for item in items)


# --------------------------------------------------------------------------------------------------------------- rules


def open_for(owner: str, device: str, currency: str, *, period: int, cap: int | None, now: int) -> Opened:
    """The opening of a bill with a fixed effective period (VB-03) and, if wished, a spending cap (VB-19)."""
    return Opened(at=now, owner=owner, device=device, currency=currency, expires_at=now + period, cap=cap)


def close(bill: Bill, now: int) -> Closed:
    """The user closes (VB-13)."""
    if bill.state != "active":
        raise bill_errors.BillStateConflict(state=bill.state)
    return Closed(at=now, by_user=True)


def on_deadline(bill: Bill, now: int) -> BillChange | None:
    """What time alone does to this bill now: end its period, remind, or give it up (VB-13, VB-16, VB-18). None: nothing yet."""
    if bill.due_at is None or now < bill.due_at:
        return None
    if bill.state == "active":
        return Closed(at=now, by_user=False)
    assert bill.verify_by is not None
    return Unpaid(at=now) if now >= bill.verify_by else Reminded(at=now)


def dispute(bill: Bill, item_id: str, now: int) -> ItemDisputed:
    """The user contests an item before verifying; it is no longer part of the total (VB-12)."""
    item = bill.item(item_id)
    if bill.state not in ("active", "verifying", "failed"):
        raise bill_errors.BillStateConflict(state=bill.state)
    if item.state != "added":
        raise bill_errors.ItemStateConflict(state=item.state)
    return ItemDisputed(at=now, item_id=item_id)


def check_verifiable(bill: Bill, list_hash: str, now: int) -> None:
    """Refuses a verification out of its time (VB-16) or of another list than today's (VB-14)."""
    if bill.state not in OPEN_FOR_PAYMENT:
        raise bill_errors.BillStateConflict(state=bill.state)
    if bill.verify_by is None or now >= bill.verify_by:
        raise bill_errors.VerificationExpired()
    if not bill.payable:
        raise bill_errors.BillStateConflict(state="without a payable item")
    if bill.revision >= MAX_REVISIONS:
        raise bill_errors.BillFull(limit=MAX_REVISIONS)
    if list_hash != bill.list_hash():
        raise bill_errors.ListChanged()
