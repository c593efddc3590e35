"""Listing the caller's phones."""

from tests import world
from tests.world import Person, call


def test_the_callers_phones_are_listed_with_the_bill_that_is_open(visitor, alice):
    """XX-05: nobody else's."""
    tablet = world.joined(Person(visitor.sub), pin=None)
    bill = world.opened(visitor)
    listed = call("GET", "/v1/devices", visitor).body["items"]
    assert {device["id"]: device.get("bill") for device in listed} == {
        visitor.phone.device_id: bill,
        tablet.phone.device_id: None,
    }
    assert set(listed[0]) - {"bill"} == {"id", "name", "thumbprint", "registered_at"}


def test_a_bill_past_its_period_is_open_no_more(visitor, later):
    """XX-04: by the deadline, not by the sweep."""
    world.opened(visitor, period_seconds=5)
    later(seconds=6)
    assert "bill" not in call("GET", "/v1/devices", visitor).body["items"][0]


def test_keys_are_not_repeated_in_the_list(visitor):
    """The thumbprint names the key."""
    assert visitor.phone.jwk["x"] not in str(call("GET", "/v1/devices", visitor).body)
