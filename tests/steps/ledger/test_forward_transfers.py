"""Forwarding transfers from the ledger's stream."""

import json

from billfold.events import event_rows
from tests import world
from tests.cloud import delivery
from tests.cloud.queues import bodies, receive
from tests.world import PIN, STEPS, call


def forwarded(store, client):
    """The ids of transfers that the step queues for the whole stream of the ledger, by account."""
    answer = STEPS["forward_transfers"].handler({"Records": delivery.records(store, "ledger")}, None)
    assert answer == {"batchItemFailures": []}
    found = {}
    for message in receive(client, "statements"):
        found.setdefault(message["Attributes"]["MessageGroupId"], []).append(message["Body"])
    return found


def test_each_new_transfer_is_queued_by_its_id_once_an_account(store, queues):
    """LG-09, XX-03, G38: what follows a commit rides the table's stream, and says nothing that the ledger does not."""
    store.empty(streams=True)
    person = world.joined(pin=None)
    for amount in (100, 200):
        world.fund(person, amount)
    transfers = [row["pk"]["S"] for row in store.rows("ledger") if row["sk"]["S"] == "transfer"]
    found = forwarded(store, queues)
    assert set(found) == {"funding/USD", f"wallet/{person.user_id}/USD"}
    assert all(sorted(ids) == sorted(transfers) for ids in found.values())


def test_changes_of_balances_are_not_transfers(store, queues):
    """Only rows that were inserted, and only transfers."""
    store.empty(streams=True)
    world.fund(world.joined(pin=None), 100)
    records = delivery.records(store, "ledger")
    assert {record["eventName"] for record in records} >= {"INSERT"}
    assert len(records) > sum(map(len, forwarded(store, queues).values())) == 2


def test_a_batch_that_comes_again_soon_is_queued_once(store, queues):
    """At least once: FIFO queues drop what they were sent in the last five minutes, and record_entries what it has told."""
    store.empty(streams=True)
    world.fund(world.joined(pin=None), 100)
    STEPS["forward_transfers"].handler({"Records": delivery.records(store, "ledger")}, None)
    assert [len(ids) for ids in forwarded(store, queues).values()] == [1, 1]


def test_a_transfer_between_people_is_an_event_for_each_of_them(store, queues, alice, visitor, shop):
    """XX-03, A3: sent and received, with what the transfer itself shows; nothing of it for a top-up, a bill or a refund."""
    body = {"to": visitor.user_id, "amount": {"amount": 1000, "currency": "USD"}, "reason": "a secret", "pin": PIN}
    sent = call("POST", "/v1/transfers", alice, body).body
    bill = world.settled(alice, (shop.tills[0], 300))
    world.refund(shop.admin, bill["id"], [bill["items"][0]["id"]])
    STEPS["forward_transfers"].handler({"Records": delivery.records(store, "ledger")}, None)
    told = {event.audience: event for text in bodies(queues, "feeds") if (event := event_rows.decode(text))}
    seen = {name: sent[name] for name in ("amount", "payer", "payees")}
    assert {who: (event.kind, event.about, event.facts) for who, event in told.items()} == {
        alice.user_id: ("transfer.sent", sent["id"], seen),
        visitor.user_id: ("transfer.received", sent["id"], seen),
    }
    assert "a secret" not in json.dumps([event.facts for event in told.values()])


def test_both_people_read_of_a_transfer_once(store, queues, alice, visitor):
    """XX-03: delivered twice."""
    body = {"to": visitor.user_id, "amount": {"amount": 1000, "currency": "USD"}, "reason": "lunch", "pin": PIN}
    sent = call("POST", "/v1/transfers", alice, body).body["id"]
    delivery.deliver(store, queues, twice=True)
    for person, kind in ((alice, "transfer.sent"), (visitor, "transfer.received")):
        assert [(event["type"], event["about"]) for event in world.told(person)] == [(kind, sent)]
