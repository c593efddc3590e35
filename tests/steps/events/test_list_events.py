"""Listing what happened."""

import pytest

from tests import world
from tests.cloud import delivery
from tests.world import Person, call, told


def listed(person, **query):
    return call("GET", "/v1/events", person, query=query or None)


def test_the_user_reads_the_life_of_a_bill(store, queues, alice, shop):
    """XX-03, VB-13: as recorded, each thin: what, when, about what, in which state."""
    bill = world.settled(alice, (shop.tills[0], 300))
    assert listed(alice).body == {"items": []}
    delivery.deliver(store, queues, twice=True)
    events = told(alice)
    assert [event["type"] for event in events] == [
        "bill.opened",
        "bill.items_added",
        "bill.verification_requested",
        "bill.settled",
    ]
    assert {event["about"] for event in events} == {bill["id"]}
    assert events[2]["data"] == {"revision": 3, "state": "verifying", "total": {"amount": 300, "currency": "USD"}}


def test_after_an_event_come_only_later_ones(store, queues, visitor):
    """A reader keeps the id of the last event it has seen."""
    world.close(visitor, world.opened(visitor))
    delivery.deliver(store, queues)
    *_, first, second, last = listed(visitor).body["items"]
    assert listed(visitor, after=first["id"]).body == {"items": [second, last]}
    assert listed(visitor, after=last["id"]).body == {"items": []}
    assert listed(visitor, after="evt_099999999999").body == {"items": []}


def test_a_merchants_feed_is_its_administrators(store, queues, visitor, alice, cafe, shop):
    """XX-05: to others the merchant does not exist."""
    world.to_verify(visitor, (shop.tills[0], 300))
    delivery.deliver(store, queues)
    assert told(shop.admin, merchant=shop.merchant)[-1]["type"] == "bill.items_added"
    unknown = listed(alice, merchant="mer_" + "0" * 32)
    for person in (alice, cafe.admin, Person()):
        answer = listed(person, merchant=shop.merchant)
        assert answer.status == unknown.status == 404
        assert answer.body | {"instance": ""} == unknown.body | {"instance": ""}


def test_sellers_hear_of_bills_that_nobody_paid(store, queues, visitor, shop, later):
    """VB-16: told, with the reminder only for the user."""
    bill = world.to_verify(visitor, (shop.tills[0], 300))["id"]
    for minutes in (16, 15):
        later(minutes=minutes)
        world.STEPS["end_bills"].handler(delivery.sqs_event([bill]), None)
    delivery.deliver(store, queues)
    own = [event["type"] for event in told(visitor)]
    sellers = [
        event["type"] for event in listed(shop.admin, merchant=shop.merchant).body["items"] if event["about"] == bill
    ]
    assert own[-2:] == ["bill.verification_reminded", "bill.unpaid"]
    assert sellers == ["bill.items_added", "bill.unpaid"]


@pytest.mark.parametrize(
    "after",
    [
        "1",
        "evt_1",
        "evt_00000000000x",
        "evt_0000000000001",
        "#",
        "evt_٠٠٠٠٠٠٠٠٠٠٠١",
        "evt_100000000000",
        "evt_999999999999",
    ],
)
def test_after_is_the_id_of_an_event(visitor, after):
    """With a pointer to the parameter."""
    answer = listed(visitor, after=after)
    assert (answer.status, answer.body["pointer"]) == (400, "/after")
