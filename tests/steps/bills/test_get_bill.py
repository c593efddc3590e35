"""Showing a bill."""

from tests import world
from tests.world import Person, call, tap


def test_the_owner_sees_the_whole_bill_from_any_phone(visitor, shop, cafe):
    """VB-02: another device of the user may look."""
    bill = world.opened(visitor)
    tap(visitor, bill, [shop.tills[0].item(bill, [("tea", 1, 150)]), cafe.tills[0].item(bill, [("cake", 1, 400)])])
    seen = world.shown(Person(visitor.sub), bill)
    assert [item["merchant"] for item in seen["items"]] == [shop.merchant, cafe.merchant]
    assert seen["total"]["amount"] == 550


def test_a_seller_sees_its_own_items_and_their_sum_only(alice, shop, cafe):
    """VB-12, XX-05: visible to both, but no other seller's business, nor the phone, cap, list or transfer."""
    bill = world.opened(alice, cap={"amount": 9000, "currency": "USD"})
    tap(alice, bill, [shop.tills[0].item(bill, [("tea", 1, 150)]), cafe.tills[0].item(bill, [("cake", 1, 400)])])
    seen = world.shown(shop.admin, bill)
    assert [item["merchant"] for item in seen["items"]] == [shop.merchant]
    assert seen["total"]["amount"] == 150
    closed = world.close(alice, bill).body
    world.verify(alice, bill, closed["verification"]["list_hash"])
    assert not {"device", "cap", "verification", "transfer"} & set(world.shown(shop.admin, bill))


def test_to_anyone_else_it_does_not_exist(visitor, alice, shop):
    """XX-05: the same answer as for a bill that never was; a seller without an item in it is anyone else."""
    bill = world.opened(visitor)
    unknown = call("GET", f"/v1/bills/bil_{0:032}", alice)
    for person in (alice, shop.admin, Person()):
        answer = call("GET", f"/v1/bills/{bill}", person)
        assert answer.status == unknown.status == 404
        assert answer.body | {"instance": ""} == unknown.body | {"instance": ""}


def test_the_receipt_names_the_transfer_and_the_refunds(alice, shop):
    """VB-20: receipts per seller and for the user."""
    bill = world.settled(alice, (shop.tills[0], 150))
    item = bill["items"][0]["id"]
    world.refund(shop.admin, bill["id"], [item])
    for person in (alice, shop.admin):
        seen = world.shown(person, bill["id"])
        assert [(refund["items"], refund["reason"]) for refund in seen["refunds"]] == [([item], "broken")]
    assert world.shown(alice, bill["id"])["transfer"] == bill["transfer"]
