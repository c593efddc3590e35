"""Closing a bill."""

import uuid

import pytest

from billfold.clock import MINUTE, from_text
from tests import world
from tests.world import Person, call, close, tap


@pytest.fixture
def bill(visitor):
    return world.opened(visitor)


def test_closing_requests_verification_of_the_exact_list(visitor, shop, cafe, bill):
    """VB-13: every purchase with seller, value and time, and the total."""
    items = [shop.tills[0].item(bill, [("tea", 2, 150)]), cafe.tills[0].item(bill, [("cake", 1, 400)])]
    results = tap(visitor, bill, items).body["results"]
    answer = close(visitor, bill)
    assert (answer.status, answer.body["state"]) == (200, "verifying")
    request = answer.body["verification"]
    assert request["items"] == [
        {"item": result["item"], "merchant": seller.merchant, "amount": item["amount"], "signed_at": item["signed_at"]}
        for result, seller, item in zip(results, (shop, cafe), items, strict=True)
    ]
    assert request["total"] == {"amount": 700, "currency": "USD"}
    assert request["tries_left"] == 3
    assert len(request["list_hash"]) == 64


def test_half_an_hour_is_left_to_verify(visitor, shop, bill):
    """VB-16: counted from closing."""
    tap(visitor, bill, [shop.tills[0].item(bill, [("tea", 1, 150)])])
    before = world.clock.now()
    expires_at = from_text(close(visitor, bill).body["verification"]["expires_at"])
    assert before + 30 * MINUTE <= expires_at <= world.clock.now() + 30 * MINUTE


def test_an_empty_bill_ends_without_a_request(visitor, bill):
    """VB-18: no request, no transfer."""
    answer = close(visitor, bill)
    assert answer.body["state"] == "expired_empty"
    assert "verification" not in answer.body


def test_a_bill_whose_items_were_all_voided_ends_empty(visitor, shop, bill):
    """VB-12, VB-18: what was taken back does not count."""
    item = tap(visitor, bill, [shop.tills[0].item(bill, [("tea", 1, 150)])]).body["results"][0]["item"]
    call("DELETE", f"/v1/bills/{bill}/items/{item}", shop.admin)
    assert close(visitor, bill).body["state"] == "expired_empty"


def test_a_closed_bill_cannot_be_closed_again(visitor, bill):
    """A new request, not a repeat, hears the state."""
    close(visitor, bill)
    answer = close(visitor, bill)
    assert (answer.status, answer.code, answer.body["state"]) == (409, "bill_state_conflict", "expired_empty")


def test_only_the_bills_own_device_closes(visitor, bill):
    """VB-02: another phone may look."""
    tablet = world.joined(Person(visitor.sub), pin=None)
    assert close(tablet, bill).code == "device_mismatch"
    assert call("POST", f"/v1/bills/{bill}/close", visitor).code == "proof_missing"
    assert world.shown(visitor, bill)["state"] == "active"


def test_a_repeat_gets_the_first_answer(alice, shop):
    """LG-10: also when the bill was paid since."""
    bill = world.opened(alice)
    tap(alice, bill, [shop.tills[0].item(bill, [("tea", 1, 150)])])
    key = str(uuid.uuid4())
    first = close(alice, bill, key=key)
    world.verify(alice, bill, first.body["verification"]["list_hash"])
    again = close(alice, bill, key=key)
    assert (again.status, again.body) == (200, first.body)
