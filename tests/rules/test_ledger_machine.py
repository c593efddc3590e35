"""The ledger's rules against a naive model: long seeded walks for volume, hypothesis' machine for small counterexamples.

The walks make more than 100,000 checked steps; the machine explores fewer, but shrinks what it finds.
"""

import random

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tests.rules.ledger_worlds import ACCOUNTS, CURRENCIES, LIMIT, OUTSIDE, WALLETS, Worlds

WALKS, STEPS = 230, 500
TOTAL = 100_000


def walk(seed: int) -> Worlds:
    """One world after `STEPS` random operations; money comes in first, so that there is something to move."""
    draw, worlds = random.Random(seed), Worlds()
    for account in WALLETS:
        outside = OUTSIDE[CURRENCIES.index(account.currency)]
        amount = draw.choice([50, 1_000, LIMIT])
        worlds.transfer(f"top-up {account.name}", [(outside, -amount), (account, amount)])
    for number in range(STEPS):
        _step(draw, worlds, number)
        worlds.now += draw.choice([0, 0, 1, 5])
    worlds.check_all()
    return worlds


def _step(draw: random.Random, worlds: Worlds, number: int) -> None:
    kind, hold_ids = draw.random(), list(worlds.kept.holds)[-12:]
    transfer_id = f"trf_{number if draw.random() < 0.9 else draw.randrange(number + 1)}"
    if kind < 0.35:
        currency = draw.choice(CURRENCIES)
        peers = [account for account in ACCOUNTS if account.currency == currency or draw.random() < 0.02]
        chosen = draw.choices(peers, k=draw.choice([2, 2, 2, 3, 5]))
        parts = [draw.choice([0, 1, 7, 60, 400, LIMIT]) if draw.random() < 0.1 else draw.randint(1, 90) for _ in chosen]
        worlds.transfer(transfer_id, [(chosen[0], -sum(parts[1:])), *zip(chosen[1:], parts[1:], strict=True)])
    elif kind < 0.45:
        worlds.reverse(transfer_id, draw.randrange(1_000))
    elif kind < 0.70 or not hold_ids:
        account = draw.choice(WALLETS if draw.random() < 0.95 else ACCOUNTS)
        worlds.place(f"hld_{number}", account, draw.choice([0, 1, 20, 80, 300]), draw.choice([0, 1, 10, 100]))
    elif kind < 0.85:
        group = draw.sample(hold_ids, k=1) if draw.random() < 0.4 else _group(draw, worlds)
        worlds.post_holds(transfer_id, group, draw.choice(ACCOUNTS), draw.choice([0, 0, 5, 500]))
    elif kind < 0.92:
        worlds.void(draw.choice(hold_ids))
    else:
        worlds.expire(draw.choice(hold_ids))


def _group(draw: random.Random, worlds: Worlds) -> list[str]:
    """Up to three holds of one currency on different wallets, pending where there are such."""
    currency, chosen = draw.choice(CURRENCIES), {}
    for hold in worlds.kept.holds.values():
        if hold.account.currency == currency and (hold.state == "pending" or draw.random() < 0.02):
            chosen[hold.account.name] = hold.hold_id
    return list(chosen.values()) or [next(iter(worlds.kept.holds))]


def test_a_hundred_thousand_random_steps_agree_with_the_naive_ledger():
    """L-1 to L-7 and L-9 after every step of seeded walks, and that the walks reached every kind of end."""
    steps, ends, reversals, groups = 0, set(), 0, 0
    for seed in range(WALKS):
        worlds = walk(seed)
        steps += worlds.steps
        ends |= set(worlds.naive.ends.values())
        reversals += sum(1 for transfer in worlds.history if transfer.reverses)
        groups += sum(1 for made in worlds.history if made.reason == "held" and len(made.legs) > 2)
    assert steps >= TOTAL
    assert ends == {"posted", "voided", "expired"}
    assert min(reversals, groups) > 100, (reversals, groups)


class LedgerMachine(RuleBasedStateMachine):
    """The same operations, drawn and shrunk by hypothesis."""

    def __init__(self) -> None:
        super().__init__()
        self.worlds, self.count = Worlds(), 0

    def _next(self, kind: str) -> str:
        self.count += 1
        return f"{kind}_{self.count}"

    @rule(account=st.sampled_from(WALLETS), amount=st.sampled_from([1, 30, 100, LIMIT, LIMIT + 1]))
    def money_comes_in(self, account, amount):
        outside = OUTSIDE[CURRENCIES.index(account.currency)]
        self.worlds.transfer(self._next("trf"), [(outside, -amount), (account, amount)])

    @rule(accounts=st.lists(st.sampled_from(ACCOUNTS), min_size=2, max_size=4), amount=st.integers(0, 60))
    def money_moves(self, accounts, amount):
        credits = [(account, amount) for account in accounts[1:]]
        self.worlds.transfer(self._next("trf"), [(accounts[0], -amount * len(credits)), *credits])

    @precondition(lambda self: self.worlds.history)
    @rule(which=st.integers(0, 20))
    def the_same_operation_comes_again(self, which):
        done = self.worlds.history[which % len(self.worlds.history)]
        self.worlds.transfer(done.transfer_id, [(leg.account, leg.amount) for leg in done.legs])

    @rule(which=st.integers(0, 20))
    def a_transfer_is_reversed(self, which):
        self.worlds.reverse(self._next("trf"), which)

    @rule(account=st.sampled_from(ACCOUNTS), amount=st.integers(-1, 60), lasts=st.integers(0, 5) | st.none())
    def money_is_held(self, account, amount, lasts):
        self.worlds.place(self._next("hld"), account, amount, lasts)

    @precondition(lambda self: self.worlds.kept.holds)
    @rule(data=st.data(), payee=st.sampled_from(ACCOUNTS), keep=st.integers(0, 60))
    def holds_are_posted(self, data, payee, keep):
        group = data.draw(st.lists(st.sampled_from(list(self.worlds.kept.holds)), min_size=1, max_size=3, unique=True))
        self.worlds.post_holds(self._next("trf"), group, payee, keep)

    @precondition(lambda self: self.worlds.kept.holds)
    @rule(data=st.data())
    def a_hold_is_voided(self, data):
        self.worlds.void(data.draw(st.sampled_from(list(self.worlds.kept.holds))))

    @precondition(lambda self: self.worlds.kept.holds)
    @rule(data=st.data())
    def a_hold_is_looked_at_for_expiry(self, data):
        self.worlds.expire(data.draw(st.sampled_from(list(self.worlds.kept.holds))))

    @rule(passed=st.integers(1, 5))
    def time_passes(self, passed):
        self.worlds.now += passed

    @invariant()
    def the_books_balance(self):
        self.worlds.check_all()


TestLedgerMachine = LedgerMachine.TestCase
TestLedgerMachine.settings = settings(
    max_examples=60, stateful_step_count=40, derandomize=True, database=None, deadline=None
)
