"""A ledger kept in dictionaries by the real rules, beside a naive one that was written without them; they must agree.

The naive ledger knows no balances: it has a journal of signed amounts and a list of reservations, and adds them up.
`Worlds` does each operation on both and then looks at the numbered invariants of docs/ledger.md.
"""

import math
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from billfold import ledger
from billfold.errors import Invalid, Refusal
from billfold.ledger import Account, Balance, Hold, Leg, Transfer
from billfold.ledger.ledger_errors import AlreadyResolved, BalanceTooLow, HoldExpired, TransferTooLarge

CURRENCIES = ("USD", "JPY")
WALLETS = [ledger.wallet(f"usr_{name}", currency) for currency in CURRENCIES for name in "abc"]
SELLERS = [ledger.sales(f"mer_{name}", currency) for currency in CURRENCIES for name in "xy"]
OUTSIDE = [ledger.funding(currency) for currency in CURRENCIES]
ACCOUNTS = WALLETS + SELLERS + OUTSIDE
LIMIT = 10**12


class Kept:
    """The rules over a dictionary, applied as the rows apply them: all of a step's writes or none (L-7)."""

    def __init__(self) -> None:
        self.balances: dict[str, Balance] = {}
        self.transfers: dict[str, Transfer] = {}
        self.holds: dict[str, Hold] = {}

    def balance(self, account: Account) -> Balance:
        return self.balances.get(account.name, Balance())

    def post(self, transfer: Transfer) -> bool:
        """False when the operation was done before (L-4)."""
        if transfer.transfer_id in self.transfers:
            return False
        after = {leg.account.name: ledger.after(self.balance(leg.account), leg) for leg in transfer.legs}
        self.balances |= after
        self.transfers[transfer.transfer_id] = transfer
        return True

    def place(self, hold: Hold) -> None:
        self.balances[hold.account.name] = ledger.after_hold(self.balance(hold.account), hold)
        self.holds[hold.hold_id] = hold

    def release(self, hold: Hold) -> None:
        self.balances[hold.account.name] = ledger.after_resolved(self.balance(hold.account), hold)
        self.holds[hold.hold_id] = hold

    def post_holds(self, posted: list[Hold], transfer: Transfer) -> None:
        """A hold group: every payer's hold and one transfer out of them."""
        after = {hold.account.name: ledger.after_resolved(self.balance(hold.account), hold) for hold in posted}
        for leg in transfer.legs:
            if leg.amount > 0:
                after[leg.account.name] = ledger.after(self.balance(leg.account), leg)
        self.balances |= after
        self.holds |= {hold.hold_id: hold for hold in posted}
        self.transfers[transfer.transfer_id] = transfer


class Naive:
    """Signed amounts in a journal and reservations in a table; no rule is imported here."""

    def __init__(self) -> None:
        self.posted: Counter[str] = Counter()
        self.reserved: dict[str, tuple[str, int, float]] = {}
        self.ends: dict[str, str] = {}
        self.done: set[str] = set()

    def available(self, name: str) -> int:
        return self.posted[name] - sum(amount for owner, amount, _ in self.reserved.values() if owner == name)

    def refusal(self, legs: Iterable[tuple[str, int]]) -> type[Refusal] | None:
        """Why these legs cannot be posted, judged from the words of LG-01, LG-02 and LG-06 alone."""
        legs = list(legs)
        names = [name for name, _ in legs]
        currencies = {name.split("/")[-1] for name in names}
        whole = len(legs) > 1 and len(set(names)) == len(names) and len(currencies) == 1
        if not whole or 0 in [amount for _, amount in legs]:
            return Invalid
        if sum(amount for _, amount in legs if amount > 0) > LIMIT:
            return TransferTooLarge
        short = any(name.startswith("wallet/") and -amount > max(0, self.available(name)) for name, amount in legs)
        return BalanceTooLow if short else None

    def add(self, transfer_id: str, legs: Iterable[tuple[str, int]]) -> None:
        self.done.add(transfer_id)
        for name, amount in legs:
            self.posted[name] += amount


@contextmanager
def expecting(kind: type[Refusal] | None) -> Iterator[None]:
    """The block raises exactly this refusal, or none."""
    raised: type[Refusal] | None = None
    try:
        yield
    except Refusal as refusal:
        raised = type(refusal)
    assert raised is kind


class Worlds:
    """Both ledgers, one clock, and the operations that move them in step."""

    def __init__(self) -> None:
        self.kept, self.naive, self.now, self.steps = Kept(), Naive(), 1_000, 0
        self.history: list[Transfer] = []

    def transfer(self, transfer_id: str, legs: list[tuple[Account, int]], *, reverses: str = "") -> None:
        """Post a transfer, possibly under an id that was used before."""
        plain = [(account.name, amount) for account, amount in legs]
        # An operation's id is looked up before any rule is asked, by both.
        if transfer_id in self.naive.done:
            return self._repeat(transfer_id)
        reason = self.naive.refusal(plain)
        with expecting(reason):
            chosen = [Leg(account, amount) for account, amount in legs]
            made = ledger.transfer(transfer_id, chosen, at=self.now, kind="transfer", reason="walk", reverses=reverses)
            assert self.kept.post(made)
            self.history.append(made)
        if reason is None:
            self.naive.add(transfer_id, plain)
        return self.check([account for account, _ in legs])

    def _repeat(self, transfer_id: str) -> None:
        first = self.kept.transfers[transfer_id]
        assert not self.kept.post(first)
        assert self.kept.transfers[transfer_id] is first
        self.check([leg.account for leg in first.legs])

    def reverse(self, transfer_id: str, which: int) -> None:
        """Undo an earlier transfer by another one that names it (L-3)."""
        if not self.history or transfer_id in self.naive.done:
            return
        original = self.history[which % len(self.history)]
        plain = [(leg.account.name, -leg.amount) for leg in original.legs]
        reason = self.naive.refusal(plain)
        with expecting(reason):
            undone = ledger.reverse(transfer_id, original, at=self.now, reason="reversal")
            assert undone.reverses == original.transfer_id
            assert self.kept.post(undone)
            self.history.append(undone)
        if reason is None:
            self.naive.add(transfer_id, plain)
        self.check([leg.account for leg in original.legs])

    def place(self, hold_id: str, account: Account, amount: int, lasts: int | None) -> None:
        """Reserve for so long; for ever without a span."""
        if hold_id in self.kept.holds:
            return
        reason: type[Refusal] | None = None
        if not account.name.startswith("wallet/") or not 0 < amount <= LIMIT or (lasts is not None and lasts <= 0):
            reason = Invalid
        elif amount > self.naive.available(account.name):
            reason = BalanceTooLow
        with expecting(reason):
            until = None if lasts is None else self.now + lasts
            self.kept.place(ledger.hold(hold_id, account, amount, expires_at=until, now=self.now))
        if reason is None:
            self.naive.reserved[hold_id] = (account.name, amount, math.inf if lasts is None else self.now + lasts)
        self.check([account])

    def post_holds(self, transfer_id: str, hold_ids: list[str], payee: Account, keep: int) -> None:
        """Post a group of holds to one payee, each all but `keep` of it: all of them or none (L-5, L-7)."""
        holds = [self.kept.holds[hold_id] for hold_id in hold_ids]
        payers = [hold.account for hold in holds]
        sound = len({account.name for account in [*payers, payee]}) == len(payers) + 1
        if transfer_id in self.naive.done or not sound or len({a.currency for a in [*payers, payee]}) != 1:
            return
        amounts = [max(1, hold.amount - keep) for hold in holds]
        reason = self._group_refusal(hold_ids)
        with expecting(reason):
            posted = [ledger.post_hold(hold, amount, self.now) for hold, amount in zip(holds, amounts, strict=True)]
            legs = [Leg(hold.account, -hold.posted) for hold in posted] + [Leg(payee, sum(amounts))]
            made = ledger.transfer(transfer_id, legs, at=self.now, kind="transfer", reason="held")
            self.kept.post_holds(posted, made)
            self.history.append(made)
        if reason is None:
            debits = [(account.name, -amount) for account, amount in zip(payers, amounts, strict=True)]
            self.naive.add(transfer_id, [*debits, (payee.name, sum(amounts))])
            for hold_id in hold_ids:
                self._end(hold_id, "posted")
        self.check([*payers, payee])

    def _group_refusal(self, hold_ids: list[str]) -> type[Refusal] | None:
        for hold_id in hold_ids:
            if hold_id in self.naive.ends:
                return AlreadyResolved
            if self.now >= self.naive.reserved[hold_id][2]:
                return HoldExpired
        return None

    def void(self, hold_id: str) -> None:
        hold = self.kept.holds[hold_id]
        reason = AlreadyResolved if hold_id in self.naive.ends else None
        with expecting(reason):
            self.kept.release(ledger.void_hold(hold))
            self._end(hold_id, "voided")
        self.check([hold.account])

    def expire(self, hold_id: str) -> None:
        hold = self.kept.holds[hold_id]
        expired = ledger.expire_hold(hold, self.now)
        due = hold_id not in self.naive.ends and self.now >= self.naive.reserved[hold_id][2]
        assert (expired is not None) == due
        if expired is not None:
            self.kept.release(expired)
            self._end(hold_id, "expired")
        self.check([hold.account])

    def _end(self, hold_id: str, how: str) -> None:
        assert hold_id not in self.naive.ends, "L-5: a hold resolved twice"
        self.naive.ends[hold_id] = how
        del self.naive.reserved[hold_id]

    def check(self, touched: list[Account]) -> None:
        """The invariants, on the accounts that a step touched; everything else is the same object as before."""
        self.steps += 1
        for account in touched:
            balance = self.kept.balance(account)
            assert balance.posted == self.naive.posted[account.name], "L-9: entries add up to what is posted"
            assert balance.available == self.naive.available(account.name), "available = posted - held"
            assert balance.held >= 0
            assert not account.floor or balance.available >= 0, "L-6: a wallet below zero"
        sums: Counter[str] = Counter()
        for name, balance in self.kept.balances.items():
            sums[name.rpartition("/")[2]] += balance.posted
        assert not any(sums.values()), "L-1: the books do not balance"

    def check_all(self) -> None:
        """Everything at once, from the immutable transfers alone."""
        entries: Counter[str] = Counter()
        for transfer in self.kept.transfers.values():
            assert 0 < transfer.total <= LIMIT, "L-2"
            for leg in transfer.legs:
                assert type(leg.amount) is int
                entries[leg.account.name] += leg.amount
        assert list(self.kept.transfers.values()) == self.history, "L-3: what was posted is as it was posted"
        for account in ACCOUNTS:
            assert entries[account.name] == self.kept.balance(account).posted, "L-9"
        for hold in self.kept.holds.values():
            assert hold.state == self.naive.ends.get(hold.hold_id, "pending"), "L-5"
        self.check(ACCOUNTS)
