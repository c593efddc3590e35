"""Finding the holds whose deadline has passed, every minute."""

from billfold import clock, ledger
from billfold.clock import MINUTE
from billfold.ledger import ledger_rows
from billfold.tables.commits import Commit
from billfold.tables.rows import fetch
from tests.cloud import delivery
from tests.world import STEPS


def place(person, hold_id, amount, minutes):
    now = clock.now()
    wallet = ledger.wallet(person.user_id, "USD")
    commit = Commit(hold_id)
    ledger_rows.place_hold(commit, ledger.hold(hold_id, wallet, amount, expires_at=now + minutes * MINUTE, now=now))
    commit.send()


def test_what_is_due_is_queued_and_found_no_more_once_it_was_resolved(queues, alice, later):
    """LG-05, XX-04: the sparse index has pending holds only."""
    for number in range(12):
        place(alice, f"hld_due{number}", 100, minutes=5)
    place(alice, "hld_lasting", 700, minutes=60)
    assert STEPS["find_due_holds"].handler({}, None) == {"found": 0}
    later(minutes=6)
    assert STEPS["find_due_holds"].handler({}, None) == {"found": 12}
    assert delivery.drain(queues) == 12
    assert STEPS["find_due_holds"].handler({}, None) == {"found": 0}
    assert fetch(ledger_rows.balance(ledger.wallet(alice.user_id, "USD"))).held == 700
