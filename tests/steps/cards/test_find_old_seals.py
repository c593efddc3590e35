"""Finding what is sealed under older keys."""

from billfold.tables.rows import fetch
from billfold.vault import vault_rows
from tests.cloud import delivery
from tests.world import STEPS, vault_keys


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
        sealed = [fetch(vault_rows.sealed(card)) for card in (*held, newer)]
        assert [parts[vault_rows.NUMBER].generation for parts in sealed] == ["2"] * 4
        assert found() == 0
