"""Removing a phone."""

from tests import world
from tests.world import Person, call, close


def remove(person, device):
    return call("DELETE", f"/v1/devices/{device}", person)


def test_a_removed_phone_is_gone_and_its_proofs_count_no_more(visitor):
    """Its key proves nothing from the next request on."""
    bill = world.opened(visitor)
    close(visitor, bill)
    answer = remove(visitor, visitor.phone.device_id)
    assert (answer.status, answer.body) == (204, None)
    assert call("GET", "/v1/devices", visitor).body["items"] == []
    assert close(visitor, bill).code == "device_mismatch"


def test_a_phone_with_an_open_bill_stays(visitor):
    """VB-02: somebody could otherwise lock themselves out of an open bill."""
    bill = world.opened(visitor)
    answer = remove(visitor, visitor.phone.device_id)
    assert (answer.status, answer.code) == (409, "device_busy")
    close(visitor, bill)
    assert remove(visitor, visitor.phone.device_id).status == 204


def test_a_bill_past_its_period_holds_no_phone(visitor, later):
    """XX-04: the deadline counts, not the sweep."""
    world.opened(visitor, period_seconds=5)
    later(seconds=6)
    assert remove(visitor, visitor.phone.device_id).status == 204


def test_a_second_removal_and_anothers_phone_are_not_found(visitor, alice):
    """XX-05: answered alike; another phone of the same user may remove one."""
    tablet = world.joined(Person(visitor.sub), pin=None)
    assert remove(tablet, visitor.phone.device_id).status == 204
    again, anothers = remove(tablet, visitor.phone.device_id), remove(visitor, alice.phone.device_id)
    assert again.status == anothers.status == 404
    assert again.body | {"instance": ""} == anothers.body | {"instance": ""}


def test_a_removed_phone_can_come_back(visitor):
    """Registered anew, under the same id."""
    remove(visitor, visitor.phone.device_id)
    assert world.joined(visitor, pin=None)
    assert world.opened(visitor)
