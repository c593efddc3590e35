"""Showing the caller's wallets."""

from billfold import ledger
from billfold.clock import HOUR, now
from billfold.ledger import ledger_rows
from billfold.tables.commits import Commit
from tests import world
from tests.world import Person, call


def test_there_is_a_line_for_each_currency_that_held_money(alice):
    """LG-02: integers in minor units."""
    world.fund(alice, 500, "JPY")
    listed = call("GET", "/v1/wallets", alice).body["items"]
    assert sorted(listed, key=lambda wallet: wallet["currency"]) == [
        {"currency": "JPY", "posted": 500, "held": 0, "available": 500},
        {"currency": "USD", "posted": 100_000, "held": 0, "available": 100_000},
    ]


def test_held_money_is_posted_but_not_available(alice):
    """LG-05, LG-06: available = posted − held."""
    wallet = ledger.wallet(alice.user_id, "USD")
    hold = ledger.hold(f"hld_{alice.sub}", wallet, 30_000, expires_at=now() + HOUR, now=now())
    commit = Commit(hold.hold_id)
    ledger_rows.place_hold(commit, hold)
    commit.send()
    assert call("GET", "/v1/wallets", alice).body["items"] == [
        {"currency": "USD", "posted": 100_000, "held": 30_000, "available": 70_000}
    ]


def test_nobody_sees_anothers_wallets(alice):
    """XX-05: somebody new has none."""
    assert call("GET", "/v1/wallets", Person()).body == {"items": []}
