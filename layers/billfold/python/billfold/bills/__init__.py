"""Virtual bills: opened for a device, filled by taps, verified once, paid once (VB-01 to VB-20).

    active ──► verifying ──► settled ──► partially_refunded ──► refunded
       │           │  ▲         ▲
       │           │  └─ late tap (ended by its period only)
       │           ├──► failed ─┘   (not enough money: items kept, verify again)
       │           ├──► cancelled   (every item was disputed; so does `failed`)
       │           └──► unpaid      (nobody verified within 30 minutes; so does `failed`)
       └──► expired_empty           (a late tap still makes it `verifying`)

    verifying or failed ──► settling ──► settled or failed   (paid by card: while its bank is asked)

A bill is the sum of its changes, in order: `rebuild` folds them, so a bill can be shown as it was after any of them. A
rule looks at a bill and answers with the next change or refuses; `bill_rows` commits it. `closed` and `verified`
are passed within one commit; so is `settling` when a wallet pays.
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
from billfold.ledger import Account, ledger_errors, sales
from billfold.money import MAX_AMOUNT_MINOR, Money

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
# A terminal's clock may run ahead of ours by this much; an item from further in the future is refused.
CLOCK_SKEW = 2 * MINUTE
VERIFY_WITHIN = 30 * MINUTE
REMIND_AFTER = 15 * MINUTE
MAX_ITEMS = 200
# What was refused of a recorded batch is kept with it, for the repeat and as evidence (VB-07). An honest phone sees a few in a
# bill; a dishonest one could fill it with 50 a call.
MAX_REFUSED_ITEMS = 1_000
# One settlement is one transaction of at most 100 rows: 40 sellers, the payer, the transfer and the bill's own rows.
MAX_SELLERS = 40

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


def rebuild(bill_id: str, changes: Iterable[BillChange]) -> Bill:
    """The bill that these changes, from its opening on, add up to."""
    remaining = iter(changes)
    opened = next(remaining)
    assert isinstance(opened, Opened), "a bill's first change is its opening"
    bill = Bill(bill_id, opened.owner, opened.device, opened.currency, opened.at, opened.expires_at, opened.cap)
    for change in remaining:
        bill = after(bill, change)
    return bill


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


def asks_anew(before: Bill, after: Bill) -> bool:
    """Whether a change makes a list to verify that nobody was asked to verify yet (VB-13, VB-14)."""
    if after.state not in OPEN_FOR_PAYMENT:
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


def is_late(bill: Bill, now: int) -> bool:
    """Whether a tap that arrives now comes after the period (VB-08)."""
    return bill.state != "active" or now >= bill.expires_at


def accepts(bill: Bill, now: int) -> bool:
    """Whether a tap can still arrive: within the period, or up to 10 minutes late unless the user closed or verified."""
    if not is_late(bill, now):
        return True
    ended_by_time = bill.state in ("active", "verifying", "expired_empty") and not bill.closed_by_user
    return ended_by_time and now <= bill.late_until


def check_accepts(bill: Bill, now: int) -> None:
    """BillClosed when the bill takes no tap any more (VB-05)."""
    if not accepts(bill, now):
        raise bill_errors.BillClosed()


def check_room(bill: Bill) -> None:
    """BillFull when the bill keeps so many refusals of items that another batch of them would have no end."""
    if bill.refused_items >= MAX_REFUSED_ITEMS:
        raise bill_errors.BillFull(limit=MAX_REFUSED_ITEMS)


def check_item(bill: Bill, item: Item, now: int, at: str = "") -> None:
    """Refuses an item signed outside the period (VB-05), with a counter that did not rise (VB-07), or beyond a limit (VB-19)."""
    if item.signed_at > now + CLOCK_SKEW:
        raise errors.Invalid("the terminal's clock is ahead: the item is dated in the future", f"{at}/signed_at")
    if item.signed_at < bill.opened_at - CLOCK_SKEW:
        raise errors.Invalid("the item is dated before this bill was opened", f"{at}/signed_at")
    if item.signed_at >= bill.expires_at:
        raise bill_errors.BillClosed()
    if item.counter <= max((other.counter for other in bill.items if other.terminal == item.terminal), default=-1):
        raise bill_errors.CounterReused()
    if len(bill.items) >= MAX_ITEMS or bill.revision >= MAX_CHANGES:
        raise bill_errors.BillFull(limit=MAX_ITEMS)
    sellers = {other.merchant for other in bill.items}
    if item.merchant not in sellers and len(sellers) >= MAX_SELLERS:
        raise bill_errors.BillFull(limit=MAX_SELLERS)
    if bill.total.amount + item.amount > MAX_AMOUNT_MINOR:
        raise ledger_errors.TransferTooLarge(limit_minor=MAX_AMOUNT_MINOR)
    if bill.cap is not None and bill.total.amount + item.amount > bill.cap:
        raise bill_errors.CapExceeded(cap_minor=bill.cap, total_minor=bill.total.amount)


def same_item(bill: Bill, item: Item) -> Item | None:
    """The item that already landed with this very signature, if it did (VB-11)."""
    for other in bill.items:
        same_tap = other.terminal == item.terminal and other.counter == item.counter
        if same_tap and other.signature == item.signature and other.lines == item.lines:
            return other
    return None


def with_item(bill: Bill, item: Item) -> Bill:
    """The bill as the next item of the same batch finds it."""
    return replace(bill, items=(*bill.items, item))


# Refusals that tell of a broken or dishonest terminal: they stay in the bill's record (VB-07).
SUSPICIOUS = frozenset({"terminal_refused", "signature_invalid", "counter_reused"})
MAX_CHANGES = 400
MAX_REVISIONS = 1000  # 400 batches, 200 disputes and hundreds of tries to pay, no more


def worth_recording(bill: Bill, batch: ItemsAdded) -> bool:
    """Whether a batch changes the bill: an item landed, or an open bill saw a suspicious one (within reason)."""
    if batch.items:
        return True
    suspicious = any(outcome.refusal in SUSPICIOUS for outcome in batch.outcomes)
    return suspicious and accepts(bill, batch.at) and bill.revision < MAX_CHANGES


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
