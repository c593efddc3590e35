"""Forwarding transfers from the ledger's stream."""

from billfold.tables import ledger_rows
from tests import delivery, world
from tests.queues import bodies
from tests.world import STEPS


def forwarded(store, client):
    """What the step queues for the whole stream of the ledger."""
    answer = STEPS["forward_transfers"].handler({"Records": delivery.records(store, "ledger")}, None)
    assert answer == {"batchItemFailures": []}
    return [ledger_rows.decode(body) for body in bodies(client, "transfers")]


def test_each_new_transfer_is_queued_whole(store, queues):
    """LG-09, XX-03: what follows a commit rides the table's stream."""
    store.empty(streams=True)
    person = world.joined(pin=None)
    for amount in (100, 200):
        world.fund(person, amount)
    transfers = forwarded(store, queues)
    assert [transfer.total for transfer in transfers] == [100, 200]
    assert {leg.account.name for leg in transfers[0].legs} == {"funding/USD", f"wallet/{person.user_id}/USD"}


def test_changes_of_balances_are_not_transfers(store, queues):
    """Only rows that were inserted, and only transfers."""
    store.empty(streams=True)
    world.fund(world.joined(pin=None), 100)
    records = delivery.records(store, "ledger")
    assert {record["eventName"] for record in records} >= {"INSERT"}
    assert len(records) > len(forwarded(store, queues)) == 1


def test_a_batch_that_comes_again_is_queued_again(store, queues):
    """At least once: record_entries is idempotent."""
    store.empty(streams=True)
    world.fund(world.joined(pin=None), 100)
    assert forwarded(store, queues) == forwarded(store, queues)
