"""What time does to a bill: its period ends, its verification is reminded of, it is given up."""

import pytest

from billfold.tables.rows import PREFIX
from tests import world
from tests.cloud.delivery import sqs_event
from tests.world import STEPS, close, tap, verify


def end(*bills):
    """What end_bills answers to messages that name these bills."""
    return STEPS["end_bills"].handler(sqs_event(bills), None)


def revision(store, bill):
    key = {"pk": {"S": bill}, "sk": {"S": "#"}}
    return int(store.client.get_item(TableName=f"{PREFIX}-bills", Key=key)["Item"]["revision"]["N"])


@pytest.fixture
def bill(alice, shop):
    """An open bill of five minutes with one item."""
    bill = world.opened(alice, period_seconds=300)
    tap(alice, bill, [shop.tills[0].item(bill, [("tea", 1, 150)])])
    return bill


def test_when_the_period_ends_the_verification_is_requested(alice, bill, later):
    """VB-03, VB-13: without the user doing anything."""
    later(seconds=301)
    assert end(bill) == {"batchItemFailures": []}
    seen = world.shown(alice, bill)
    assert (seen["state"], seen["verification"]["total"]["amount"]) == ("verifying", 150)
    assert verify(alice, bill, seen["verification"]["list_hash"]).status == 200


def test_an_empty_bill_expires(visitor, later):
    """VB-18: no request, no transfer."""
    bill = world.opened(visitor, period_seconds=5)
    later(seconds=6)
    end(bill)
    seen = world.shown(visitor, bill)
    assert (seen["state"], "verification" in seen) == ("expired_empty", False)


def test_a_bill_that_ended_frees_its_phone(visitor, later):
    """VB-04: the device's row says no more that a bill is open on it."""
    bill = world.opened(visitor, period_seconds=5)
    later(seconds=6)
    end(bill)
    listed = world.call("GET", "/v1/devices", visitor).body["items"]
    assert [device.get("bill") for device in listed] == [None]
    assert world.opened(visitor) != bill


def test_before_its_time_nothing_happens(store, alice, bill):
    """XX-04: a message that comes too early changes nothing."""
    before = revision(store, bill)
    end(bill)
    assert (revision(store, bill), world.shown(alice, bill)["state"]) == (before, "active")


def test_the_user_is_reminded_once_half_way(store, alice, bill, later):
    """VB-16: after 15 of the 30 minutes."""
    close(alice, bill)
    before = revision(store, bill)
    later(minutes=14)
    end(bill)
    assert revision(store, bill) == before
    later(minutes=2)
    end(bill, bill)
    end(bill)
    assert revision(store, bill) == before + 1
    assert world.shown(alice, bill)["state"] == "verifying"


def test_a_bill_that_nobody_verifies_is_unpaid(alice, shop, bill, later):
    """VB-16: after 30 minutes, and no transfer."""
    close(alice, bill)
    later(minutes=31)
    end(bill)
    end(bill)
    assert world.shown(alice, bill)["state"] == "unpaid"
    assert world.shown(shop.admin, bill)["state"] == "unpaid"
    assert world.wallet(alice) == 100_000


def test_a_failed_bill_is_given_up_as_well(visitor, shop, later):
    """VB-16, VB-17: another instrument can be tried for half an hour."""
    person = world.joined()
    bill = world.to_verify(person, (shop.tills[0], 100))
    assert verify(person, bill["id"], bill["verification"]["list_hash"]).code == "balance_too_low"
    later(minutes=31)
    end(bill["id"])
    assert world.shown(person, bill["id"])["state"] == "unpaid"


def test_a_paid_bill_is_left_alone(store, alice, shop, later):
    """XX-04: what is over has no deadline."""
    bill = world.settled(alice, (shop.tills[0], 100))["id"]
    before = revision(store, bill)
    later(hours=10)
    end(bill)
    assert (revision(store, bill), world.shown(alice, bill)["state"]) == (before, "settled")


def test_a_message_delivered_twice_does_it_once(store, alice, bill, later):
    """At least once is once: each change happens on the condition that the bill is as it was read."""
    later(seconds=301)
    before = revision(store, bill)
    end(bill, bill)
    end(bill)
    assert revision(store, bill) == before + 1


def test_a_message_that_names_no_bill_fails_alone(alice, bill, later):
    """The others of its batch are done; it comes again, and at last rests in the dead-letter queue."""
    later(seconds=301)
    assert end("bil_unknown", bill) == {"batchItemFailures": [{"itemIdentifier": "message-0"}]}
    assert world.shown(alice, bill)["state"] == "verifying"
