"""Forwarding bills' changes as events, from the bills' stream."""

from billfold.events import event_rows
from tests import world
from tests.cloud import delivery
from tests.cloud.queues import bodies
from tests.world import STEPS


def forwarded(store, client):
    """The events that the step queues for the whole stream of the bills."""
    answer = STEPS["forward_bill_changes"].handler({"Records": delivery.records(store, "bills")}, None)
    assert answer == {"batchItemFailures": []}
    return [event for body in bodies(client, "feeds") if (event := event_rows.decode(body))]


def test_every_change_becomes_an_event_for_each_audience(store, queues):
    """XX-03, VB-13: the owner hears of all, a seller of what touches its items; the verification request is one."""
    store.empty(streams=True)
    shop, person = world.seller(terminals=1), world.joined()
    world.fund(person, 1000)
    bill = world.settled(person, (shop.tills[0], 300))
    world.refund(shop.admin, bill["id"], [bill["items"][0]["id"]])
    told = forwarded(store, queues)
    kinds = {
        audience: [event.kind for event in told if event.audience == audience]
        for audience in (person.user_id, shop.merchant)
    }
    assert kinds[person.user_id] == [
        "bill.opened",
        "bill.items_added",
        "bill.verification_requested",
        "bill.settled",
        "bill.refunded",
    ]
    assert kinds[shop.merchant] == ["bill.items_added", "bill.settled", "bill.refunded"]
    assert {event.about for event in told} == {bill["id"]}


def test_a_seller_hears_of_no_total(store, queues):
    """XX-05: it may hold other sellers' items."""
    store.empty(streams=True)
    shop, person = world.seller(terminals=1), world.joined(pin=None)
    world.to_verify(person, (shop.tills[0], 300))
    facts = [event.facts for event in forwarded(store, queues) if event.audience == shop.merchant]
    assert facts == [{"state": "active"}]


def test_changes_of_the_head_are_no_events(store, queues):
    """Only inserted changes count: as many as the bill has had."""
    store.empty(streams=True)
    person = world.joined(pin=None)
    world.close(person, world.opened(person))
    assert [event.kind for event in forwarded(store, queues)] == ["bill.opened", "bill.expired_empty"]
