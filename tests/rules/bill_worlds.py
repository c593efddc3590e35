"""A bill kept by the real rules beside a naive one written from the words of VB-01 to VB-20; they must agree.

The naive bill gives the set of all reasons against a step. The rules must refuse with one of them, or, when there is
none, let it happen; a refusal leaves no trace.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import reduce
from typing import Any

from billfold import bills
from billfold.bills import Bill, bill_items, bill_refunds, bill_sellers
from billfold.bills.bill_changes import Change, Closed, Item, ItemsAdded, Opened, Outcome, Settled, SettlementFailed
from billfold.errors import Refusal

MINUTE = 60_000
OPENED = 1_000_000_000
PERIOD = 60 * MINUTE
FINAL = ("cancelled", "unpaid", "refunded")


def rebuild(bill_id: str, made: Sequence[Change]) -> Bill:
    return reduce(bills.after, made[1:], bills.new(bill_id, made[0]))


def item(number: int, **fields: Any) -> Item:
    """One tapped item; its number tells it from others."""
    honest = {
        "item_id": f"itm_{number}",
        "merchant": "mer_a",
        "terminal": "trm_a",
        "counter": number,
        "signed_at": OPENED + number,
        "amount": 100,
        "lines": [{"name": "tea", "quantity": 1, "unit_amount": 100}],
        "signed_at_text": "",
        "signature": f"signature {number}",
    }
    return Item(**(honest | fields))


def opened(cap: int | None = None, period: int = PERIOD) -> Bill:
    """A bill just opened at OPENED."""
    return rebuild("bil_1", [opening(cap, period)])


def opening(cap: int | None = None, period: int = PERIOD) -> Opened:
    return bills.open_for("usr_1", "dev_1", "USD", period=period, cap=cap, now=OPENED)


def added(bill: Bill, *items: Item, now: int = OPENED + MINUTE) -> Bill:
    """The bill after these items landed."""
    outcomes = [Outcome("added", each.item_id) for each in items]
    return bills.after(
        bill, ItemsAdded(at=now, items=list(items), outcomes=outcomes, late=bill_items.is_late(bill, now))
    )


def ended(bill: Bill, now: int = OPENED + PERIOD) -> Bill:
    """The bill once its period is over."""
    change = bills.on_deadline(bill, now)
    assert change == Closed(at=now, by_user=False)
    return bills.after(bill, change)


def closed(bill: Bill, now: int = OPENED + 2 * MINUTE) -> Bill:
    return bills.after(bill, bills.close(bill, now))


def settled(bill: Bill, now: int = OPENED + 3 * MINUTE) -> Bill:
    bills.check_verifiable(bill, bill.list_hash(), now)
    return bills.after(bill, Settled(at=now, transfer_id="trf_1", list_hash=bill.list_hash(), method="pin"))


@dataclass
class Plain:
    """What the words say about one item."""

    item_id: str
    merchant: str
    terminal: str
    counter: int
    signed_at: int
    amount: int
    state: str = "added"


@dataclass
class Naive:
    """What the words say about the bill."""

    cap: int | None
    state: str = "active"
    by_user: bool = False
    verify_by: int = 0
    reminded: bool = False
    items: list[Plain] = field(default_factory=list)

    def counting(self) -> list[Plain]:
        return [each for each in self.items if each.state in ("added", "settled", "refunded")]

    def total(self) -> int:
        return sum(each.amount for each in self.counting())

    def ask(self, now: int) -> None:
        self.state, self.verify_by = "verifying", now + 30 * MINUTE


class Worlds:
    """Both bills, the journal of changes, and every list of payables ever seen with its hash."""

    def __init__(self, cap: int | None) -> None:
        self.changes: list[Change] = [opening(cap)]
        self.bill = rebuild("bil_1", self.changes)
        self.naive = Naive(cap)
        self.now, self.expires = OPENED, OPENED + PERIOD
        self.hashes: dict[str, tuple[Any, ...]] = {}
        self.refused: set[tuple[str, str]] = set()
        self.states: set[str] = set()

    def _judge(self, step: str, reasons: set[str], rule: Callable[[], Change | None]) -> Change | None:
        """The rule's change, which exists exactly when nothing speaks against it."""
        before, change, code = self.bill, None, ""
        try:
            change = rule()
        except Refusal as refusal:
            code = refusal.code()
        assert (code in reasons) if code else not reasons, f"{step}: {code or 'let through'}, expected {reasons}"
        assert self.bill == before
        if code:
            self.refused.add((step, code))
        return change

    def _apply(self, change: Change) -> None:
        self.changes.append(change)
        self.bill = bills.after(self.bill, change)

    # ------------------------------------------------------------------------------------------------------------ steps

    def tap(self, number: int, amount: int, signed_before_now: int) -> None:
        """One signed item arrives now."""
        merchant, terminal = f"mer_{number % 3}", f"trm_{number % 4}"
        counter = max(0, len(self.naive.items) + number % 5 - 2)
        new = item(
            len(self.changes),
            merchant=merchant,
            terminal=terminal,
            counter=counter,
            amount=amount,
            signed_at=self.now - signed_before_now,
        )
        plain = Plain(new.item_id, merchant, terminal, counter, new.signed_at, amount)

        def rule() -> Change:
            bill_items.check_accepts(self.bill, self.now)
            bill_items.check_item(self.bill, new, self.now)
            late = bill_items.is_late(self.bill, self.now)
            return ItemsAdded(at=self.now, items=[new], outcomes=[Outcome("added", new.item_id)], late=late)

        change = self._judge("tap", self._against_tap(plain), rule)
        if change is not None:
            self._apply(change)
            self.naive.items.append(plain)
            if self.naive.state == "expired_empty":
                self.naive.ask(self.now)

    def _against_tap(self, new: Plain) -> set[str]:
        naive, reasons = self.naive, set()
        in_period = naive.state == "active" and self.now < self.expires
        waiting = naive.state in ("active", "verifying", "expired_empty") and not naive.by_user
        if not in_period and not (waiting and self.now <= self.expires + 10 * MINUTE):
            reasons.add("bill_closed")
        if new.signed_at >= self.expires:
            reasons.add("bill_closed")
        if new.signed_at < OPENED - 2 * MINUTE or new.signed_at > self.now + 2 * MINUTE:
            reasons.add("invalid")
        if any(each.terminal == new.terminal and each.counter >= new.counter for each in naive.items):
            reasons.add("counter_reused")
        if naive.cap is not None and naive.total() + new.amount > naive.cap:
            reasons.add("cap_exceeded")
        if naive.total() + new.amount > 10**12:
            reasons.add("transfer_too_large")
        return reasons

    def close(self) -> None:
        reasons = set() if self.naive.state == "active" else {"bill_state_conflict"}
        if change := self._judge("close", reasons, lambda: bills.close(self.bill, self.now)):
            self._apply(change)
            self.naive.by_user = True
            self._ended()

    def _ended(self) -> None:
        if self.naive.counting():
            self.naive.ask(self.now)
        else:
            self.naive.state = "expired_empty"

    def deadline(self) -> None:
        """The sweep looks at the bill."""
        change, naive = bills.on_deadline(self.bill, self.now), self.naive
        if change is not None:
            self._apply(change)
        kind = type(change).__name__ if change is not None else ""
        if naive.state == "active":
            assert kind == ("Closed" if self.now >= self.expires else "")
            if change is not None:
                self._ended()
        elif naive.state in ("verifying", "failed"):
            over, half = self.now >= naive.verify_by, self.now >= naive.verify_by - 15 * MINUTE
            assert kind == ("Unpaid" if over else "Reminded" if half and not naive.reminded else "")
            naive.state = "unpaid" if over else naive.state
            naive.reminded = naive.reminded or kind == "Reminded"
        else:
            assert kind == ""

    def void(self, number: int, merchant: str) -> None:
        target = self._some(number)
        reasons = set()
        if target is None or target.merchant != merchant:
            reasons.add("not_found")
        elif target.state != "added":
            reasons.add("item_state_conflict")
        if self.naive.state != "active" or self.now >= self.expires:
            reasons.add("bill_state_conflict")
        name = target.item_id if target else "itm_none"
        if change := self._judge("void", reasons, lambda: bill_sellers.void(self.bill, name, {merchant}, self.now)):
            self._apply(change)
            assert target is not None
            target.state = "voided"

    def dispute(self, number: int) -> None:
        target = self._some(number)
        reasons = {"not_found"} if target is None else set()
        if target is not None and target.state != "added":
            reasons.add("item_state_conflict")
        if self.naive.state not in ("active", "verifying", "failed"):
            reasons.add("bill_state_conflict")
        name = target.item_id if target else "itm_none"
        if change := self._judge("dispute", reasons, lambda: bills.dispute(self.bill, name, self.now)):
            self._apply(change)
            assert target is not None
            target.state = "disputed"
            if self.naive.state != "active" and not self.naive.counting():
                self.naive.state = "cancelled"

    def verify(self, number: int, *, solvent: bool) -> None:
        """The user verifies the current list or, now and then, one seen before."""
        seen = list(self.hashes)
        named = seen[number % len(seen)] if number % 4 == 0 else self.bill.list_hash()
        reasons = set()
        if self.naive.state not in ("verifying", "failed"):
            reasons.add("bill_state_conflict")
        elif self.now >= self.naive.verify_by:
            reasons.add("verification_expired")
        if self.hashes[named] != self._payable():
            reasons.add("list_changed")

        def rule() -> Change:
            bills.check_verifiable(self.bill, named, self.now)
            if solvent:
                return Settled(at=self.now, transfer_id="trf_1", list_hash=named, method="pin")
            return SettlementFailed(at=self.now, refusal="balance_too_low", facts={})

        if change := self._judge("verify", reasons, rule):
            self._apply(change)
            self.naive.state = "settled" if solvent else "failed"
            for each in self.naive.counting() if solvent else ():
                each.state = "settled"

    def refund(self, number: int, merchant: str) -> None:
        """A seller gives back up to three items."""
        chosen = [each for offset in range(number % 3 + 1) if (each := self._some(number + offset * 7)) is not None]
        names, reasons = [each.item_id for each in chosen], set()
        if any(each.merchant != merchant for each in chosen):
            reasons.add("not_found")
        if len(set(names)) != len(names) or not names:
            reasons.add("invalid")
        if any(each.state != "settled" for each in chosen):
            reasons.add("item_state_conflict")

        def rule() -> Change:
            return bill_refunds.refund(self.bill, names, {merchant}, transfer_id="trf_2", reason="back", now=self.now)

        if change := self._judge("refund", reasons, rule):
            self._apply(change)
            for each in chosen:
                each.state = "refunded"
            left = any(each.state == "settled" for each in self.naive.items)
            self.naive.state = "partially_refunded" if left else "refunded"

    # ----------------------------------------------------------------------------------------------------------- checks

    def _some(self, number: int) -> Plain | None:
        return self.naive.items[number % len(self.naive.items)] if self.naive.items else None

    def _payable(self) -> tuple[Any, ...]:
        return tuple((each.item_id, each.merchant, each.amount, each.signed_at) for each in self.naive.counting())

    def check(self) -> None:
        """Both agree; the journal adds up to the bill; the sums are exact; the hash stands for the list and nothing else."""
        bill, naive = self.bill, self.naive
        self.states.add(bill.state)
        assert bill.state == naive.state
        assert [(each.item_id, each.state) for each in bill.items] == [
            (each.item_id, each.state) for each in naive.items
        ]
        assert rebuild("bil_1", self.changes) == bill
        assert bill.revision == len(self.changes)
        assert (bill.total.amount, bill.total.currency) == (naive.total(), "USD")
        assert sum(bill.by_seller().values()) == naive.total()
        assert bill.refunded.amount == sum(each.amount for each in naive.items if each.state == "refunded")
        assert naive.cap is None or naive.total() <= naive.cap
        assert self.hashes.setdefault(bill.list_hash(), self._payable()) == self._payable()
        assert list(self.hashes.values()).count(self._payable()) == 1
        assert bill.due_at == self._due()
        assert bill.state not in FINAL or bill.due_at is None

    def _due(self) -> int | None:
        if self.naive.state == "active":
            return self.expires
        if self.naive.state in ("verifying", "failed"):
            return self.naive.verify_by if self.naive.reminded else self.naive.verify_by - 15 * MINUTE
        return None
