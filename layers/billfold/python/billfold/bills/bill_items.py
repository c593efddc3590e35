"""Items tapped into a bill: until when it takes them, which it refuses, and what of a batch is recorded (VB-05 to VB-11, VB-19)."""

from dataclasses import replace

from billfold import errors
from billfold.bills import MAX_ITEMS, Bill, bill_errors
from billfold.bills.bill_changes import Item, ItemsAdded
from billfold.clock import MINUTE
from billfold.ledger import ledger_errors
from billfold.money import MAX_AMOUNT_MINOR

# A terminal's clock may run ahead of ours by this much; an item from further in the future is refused.
CLOCK_SKEW = 2 * MINUTE
# One settlement is one transaction of at most 100 rows: 40 sellers, the payer, the transfer and the bill's own rows.
MAX_SELLERS = 40
# From then on a bill takes no item, so that what remains of its revisions is for disputes and payment.
MAX_CHANGES = 400
# What was refused of a recorded batch is kept with it, for the repeat and as evidence (VB-07). An honest phone sees a few in a
# bill; a dishonest one could fill it with 50 a call.
MAX_REFUSED_ITEMS = 1_000
# Refusals that tell of a broken or dishonest terminal: they stay in the bill's record (VB-07).
SUSPICIOUS = frozenset({"terminal_refused", "signature_invalid", "counter_reused"})


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


def worth_recording(bill: Bill, batch: ItemsAdded) -> bool:
    """Whether a batch changes the bill: an item landed, or an open bill saw a suspicious one (within reason)."""
    if batch.items:
        return True
    suspicious = any(outcome.refusal in SUSPICIOUS for outcome in batch.outcomes)
    return suspicious and accepts(bill, batch.at) and bill.revision < MAX_CHANGES
