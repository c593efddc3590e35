"""Releasing the money of holds whose deadline has passed."""

import pytest

from billfold import clock, ledger
from billfold.clock import MINUTE
from billfold.ledger import ledger_rows
from billfold.tables.commits import Commit
from billfold.tables.rows import fetch
from tests.cloud.delivery import sqs_event
from tests.world import STEPS


@pytest.fixture
def hold(alice):
    """USD 300.00 of Alice's reserved for five minutes."""
    now = clock.now()
    wallet = ledger.wallet(alice.user_id, "USD")
    placed = ledger.hold(f"hld_{alice.sub}", wallet, 30_000, expires_at=now + 5 * MINUTE, now=now)
    commit = Commit(placed.hold_id)
    ledger_rows.place_hold(commit, placed)
    commit.send()
    return placed


def expire(*hold_ids):
    return STEPS["expire_holds"].handler(sqs_event(hold_ids), None)


def state(hold):
    return fetch(ledger_rows.hold(hold.hold_id)).state


def test_after_the_deadline_the_money_is_available_again(hold, later):
    """LG-05: released, not posted."""
    later(minutes=5, seconds=1)
    assert expire(hold.hold_id) == {"batchItemFailures": []}
    assert state(hold) == "expired"
    assert fetch(ledger_rows.balance(hold.account)) == ledger.Balance(available=100_000, held=0)


def test_before_the_deadline_it_stays_held(hold):
    """LG-05: a message that comes too early changes nothing."""
    expire(hold.hold_id)
    assert state(hold) == "pending"
    assert fetch(ledger_rows.balance(hold.account)) == ledger.Balance(available=70_000, held=30_000)


def test_a_hold_resolves_at_most_once(hold, later):
    """LG-05: delivered twice, released once; what was voided is not expired."""
    later(minutes=5, seconds=1)
    expire(hold.hold_id, hold.hold_id)
    expire(hold.hold_id)
    assert fetch(ledger_rows.balance(hold.account)) == ledger.Balance(available=100_000, held=0)


def test_a_hold_that_was_resolved_before_is_left_alone(hold, later):
    """LG-05: voided stays voided."""
    commit = Commit("void")
    ledger_rows.resolve_hold(commit, hold, ledger.void_hold(hold), clock.now())
    commit.send()
    later(minutes=6)
    assert expire(hold.hold_id, "hld_unknown") == {"batchItemFailures": []}
    assert state(hold) == "voided"
    assert fetch(ledger_rows.balance(hold.account)) == ledger.Balance(available=100_000, held=0)
