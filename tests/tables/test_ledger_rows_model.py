"""Random operations on the ledger's rows behave exactly as the rules over a dictionary, with nobody asking the rules first."""

import random
import uuid
from collections import Counter
from typing import Any

import pytest

from billfold import ledger
from billfold.errors import Refusal, Stale
from billfold.ledger import Hold, Leg, Transfer, ledger_rows
from billfold.tables.commits import Commit
from billfold.tables.rows import fetch
from tests.rules.ledger_worlds import ACCOUNTS, CURRENCIES, OUTSIDE, WALLETS, Kept

OPERATIONS = 1_200


class Pair:
    """The table and the dictionary. Holds are resolved from how they looked when placed: an old decision, as in a race."""

    def __init__(self, seed: int) -> None:
        self.draw, self.kept, self.now = random.Random(seed), Kept(), 1_000
        self.placed: list[Hold] = []
        self.outcomes: Counter[tuple[str, bool]] = Counter()

    def both(self, kind: str, by_rules: Any, by_rows: Any) -> None:
        """Do one thing on both sides: refused here means Stale there."""
        try:
            allowed = by_rules() is not False
        except Refusal:
            allowed = False
        commit = Commit(uuid.uuid4().hex)
        by_rows(commit)
        if allowed:
            commit.send()
        else:
            with pytest.raises(Stale):
                commit.send()
        self.outcomes[kind, allowed] += 1

    def transfer(self, transfer_id: str) -> None:
        currency = self.draw.choice(CURRENCIES)
        peers = [account for account in ACCOUNTS if account.currency == currency]
        payer, *payees = self.draw.sample(peers, k=self.draw.choice([2, 2, 3, 5]))
        legs = ledger.pay(payer, [(payee, self.draw.randint(1, 60)) for payee in payees])
        made = ledger.transfer(transfer_id, legs, at=self.now, kind="transfer", reason="walk")
        self.both("transfer", lambda: self.kept.post(made), lambda commit: ledger_rows.add_transfer(commit, made))

    def place(self) -> None:
        lasts, amount = self.draw.choice([5, 60, None]), self.draw.randint(1, 80)
        until = lasts and self.now + lasts
        hold = ledger.hold(uuid.uuid4().hex, self.draw.choice(WALLETS), amount, expires_at=until, now=self.now)
        self.both("hold", lambda: self.kept.place(hold), lambda commit: ledger_rows.place_hold(commit, hold))
        if hold.hold_id in self.kept.holds:
            self.placed.append(hold)

    def post_holds(self) -> None:
        payee = self.draw.choice(ACCOUNTS)
        chosen: dict[str, Hold] = {}
        for hold in self.draw.sample(self.placed[-9:], k=min(len(self.placed), 3)):
            if hold.account.currency == payee.currency and hold.account != payee:
                chosen[hold.account.name] = hold
        if not chosen:
            return
        pairs = [(hold, ledger.post_hold(hold, self.draw.randint(1, hold.amount), 0)) for hold in chosen.values()]
        made = _out_of(pairs, payee, self.now)

        def by_rules() -> None:
            current = [ledger.post_hold(self.kept.holds[old.hold_id], new.posted, self.now) for old, new in pairs]
            self.kept.post_holds(current, made)

        self.both("post", by_rules, lambda commit: ledger_rows.post_held(commit, pairs, made, self.now))

    def release(self) -> None:
        old = self.draw.choice(self.placed[-9:])
        expired = ledger.expire_hold(old, self.now)
        new = expired or ledger.void_hold(old)

        def by_rules() -> bool:
            current = self.kept.holds[old.hold_id]
            after = ledger.expire_hold(current, self.now) if expired else ledger.void_hold(current)
            if after is not None:
                self.kept.release(after)
            return after is not None

        self.both(new.state, by_rules, lambda commit: ledger_rows.resolve_hold(commit, old, new, self.now))


def _out_of(pairs: list[tuple[Hold, Hold]], payee: ledger.Account, now: int) -> Transfer:
    legs = [Leg(new.account, -new.posted) for _, new in pairs]
    legs.append(Leg(payee, sum(new.posted for _, new in pairs)))
    return ledger.transfer(uuid.uuid4().hex, legs, at=now, kind="transfer", reason="held")


@pytest.mark.parametrize("seed", [1, 2])
def test_random_operations_on_the_rows_behave_as_the_rules_do(store, seed):
    """L-1 to L-8: each operation is allowed by both or refused by both, and in the end every row agrees."""
    pair = Pair(seed)
    for account in WALLETS:
        outside = OUTSIDE[CURRENCIES.index(account.currency)]
        made = ledger.transfer(
            uuid.uuid4().hex, ledger.pay(outside, [(account, 300)]), at=1, kind="transfer", reason="top-up"
        )
        pair.both(
            "top-up", lambda made=made: pair.kept.post(made), lambda c, made=made: ledger_rows.add_transfer(c, made)
        )
    ids = [uuid.uuid4().hex for _ in range(OPERATIONS // 4)]
    for _ in range(OPERATIONS // 2):
        kind, pair.now = pair.draw.random(), pair.now + pair.draw.choice([0, 1, 3])
        if kind < 0.4:
            pair.transfer(pair.draw.choice(ids))
        elif kind < 0.65 or not pair.placed:
            pair.place()
        elif kind < 0.85:
            pair.post_holds()
        else:
            pair.release()
    for account in ACCOUNTS:
        assert fetch(ledger_rows.balance(account)) == pair.kept.balance(account)
    for hold_id, hold in pair.kept.holds.items():
        assert fetch(ledger_rows.hold(hold_id)) == hold
    for transfer_id, transfer in pair.kept.transfers.items():
        assert fetch(ledger_rows.transfer(transfer_id)) == transfer
    kinds = {"transfer", "hold", "post", "voided", "expired"}
    assert {(kind, allowed) for kind in kinds for allowed in (True, False)} <= set(pair.outcomes), pair.outcomes


def test_the_books_balance_in_the_rows_themselves(store):
    """L-1, L-8: over every balance row of the table, lanes included, each currency sums to zero after a walk."""
    pair = Pair(3)
    for number in range(60):
        payee = pair.draw.choice(WALLETS)
        legs = ledger.pay(ledger.funding(payee.currency), [(payee, number + 1)])
        made = ledger.transfer(uuid.uuid4().hex, legs, at=1, kind="transfer", reason="top-up")
        pair.both(
            "top-up", lambda made=made: pair.kept.post(made), lambda c, made=made: ledger_rows.add_transfer(c, made)
        )
        pair.transfer(uuid.uuid4().hex)
    sums: Counter[str] = Counter()
    for row in store.rows("ledger"):
        if row["sk"]["S"] in CURRENCIES:
            sums[row["sk"]["S"]] += sum(int(row[name]["N"]) for name in ("available", "held") if name in row)
    assert sums == dict.fromkeys(CURRENCIES, 0)
    assert sum(pair.outcomes.values()) == 120
