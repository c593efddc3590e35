"""Finding what is sealed under older keys."""

from billfold.tables import vault_rows
from billfold.tables.rows import read
from tests import delivery, vault_keys
from tests.world import STEPS


def found():
    return STEPS["find_old_seals"].handler({}, None)["found"]


def test_every_older_seal_is_found_and_none_once_it_was_resealed(store, cards, queues):
    """CB-19: by the index of generations, whichever is not the newest."""
    store.empty(streams=True)
    delivery.begin(store)
    held = [cards.active()[1] for _ in range(3)]
    assert found() == 0
    vault_keys.make("2")
    with vault_keys.listed("2 1"):
        newer = cards.active("without_funds")[1]
        assert found() == 3
        delivery.drain(queues)
        keys = [vault_rows.vault_key(card) for card in (*held, newer)]
        assert [read([key])[key].generation for key in keys] == ["2"] * 4
        assert found() == 0


def test_a_run_finds_what_it_can_send_and_the_next_goes_on(store, cards, monkeypatch):
    """CB-19, issue 7 A5: what was resealed has left the index, so that a million seals need no place to resume from."""
    store.empty(streams=True)
    held = [cards.active()[1] for _ in range(3)]
    vault_keys.make("2")
    monkeypatch.setattr("functions.cards.find_old_seals.MOST", 2)
    with vault_keys.listed("2 1"):
        for expected in (2, 1, 0):
            assert found() == expected
            delivery.drain(cards.queues)
    assert len(held) == 3
