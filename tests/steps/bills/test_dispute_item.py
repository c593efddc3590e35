"""A user contesting an item before verifying."""

import uuid

from tests import world
from tests.world import call, close, tap


def dispute(person, bill, item, **options):
    return call("POST", f"/v1/bills/{bill}/items/{item}/dispute", person, **options)


def test_a_disputed_item_leaves_the_total_and_both_sides_see_it(visitor, shop):
    """VB-12: also while the bill is still open."""
    bill = world.opened(visitor)
    items = [shop.tills[0].item(bill, [("tea", 1, 150)]), shop.tills[0].item(bill, [("cake", 1, 400)])]
    item = tap(visitor, bill, items).body["results"][0]["item"]
    answer = dispute(visitor, bill, item)
    assert (answer.status, answer.body["total"]["amount"]) == (200, 400)
    assert world.shown(shop.admin, bill)["items"][0]["state"] == "disputed"


def test_disputing_makes_a_new_list_to_verify(alice, shop):
    """VB-14: the old list's hash is worth nothing any more."""
    bill = world.to_verify(alice, (shop.tills[0], 150), (shop.tills[0], 400))
    old = bill["verification"]["list_hash"]
    after = dispute(alice, bill["id"], bill["items"][0]["id"]).body
    assert after["verification"]["list_hash"] != old
    assert [listed["amount"] for listed in after["verification"]["items"]] == [400]
    assert world.verify(alice, bill["id"], old).code == "list_changed"
    assert world.verify(alice, bill["id"], after["verification"]["list_hash"]).body["total"]["amount"] == 400


def test_a_bill_whose_items_are_all_disputed_is_cancelled(visitor, shop):
    """VB-12: nothing is left to pay."""
    bill = world.to_verify(visitor, (shop.tills[0], 150))
    answer = dispute(visitor, bill["id"], bill["items"][0]["id"])
    assert answer.body["state"] == "cancelled"
    assert "verification" not in answer.body


def test_a_paid_item_cannot_be_disputed(alice, shop):
    """VB-12: before verifying only; afterwards the seller refunds."""
    bill = world.settled(alice, (shop.tills[0], 150))
    answer = dispute(alice, bill["id"], bill["items"][0]["id"])
    assert (answer.status, answer.code) == (409, "bill_state_conflict")


def test_a_disputed_item_cannot_be_disputed_again(visitor, shop):
    """A new request hears the item's state."""
    bill = world.to_verify(visitor, (shop.tills[0], 150), (shop.tills[0], 400))
    dispute(visitor, bill["id"], bill["items"][0]["id"])
    assert dispute(visitor, bill["id"], bill["items"][0]["id"]).code == "item_state_conflict"


def test_nobody_else_can_dispute(visitor, alice, shop):
    """XX-05: neither another user nor the seller."""
    bill = world.to_verify(visitor, (shop.tills[0], 150))
    unknown = dispute(visitor, bill["id"], "itm_" + "0" * 32)
    for person in (alice, shop.admin):
        answer = dispute(person, bill["id"], bill["items"][0]["id"])
        assert answer.status == unknown.status == 404
        assert answer.body | {"instance": ""} == unknown.body | {"instance": ""}


def test_a_repeat_gets_the_first_answer(alice, shop):
    """LG-10: also when the bill was paid since."""
    bill = world.to_verify(alice, (shop.tills[0], 150), (shop.tills[0], 400))
    key = str(uuid.uuid4())
    first = dispute(alice, bill["id"], bill["items"][0]["id"], key=key)
    world.verify(alice, bill["id"], first.body["verification"]["list_hash"])
    assert dispute(alice, bill["id"], bill["items"][0]["id"], key=key).body == first.body
    assert close(alice, bill["id"]).code == "bill_state_conflict"
