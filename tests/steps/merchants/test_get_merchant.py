"""Showing a merchant to its administrator."""

from tests import world
from tests.world import Person, call


def show(person, merchant, **query):
    return call("GET", f"/v1/merchants/{merchant}", person, query=query or None)


def test_its_administrator_sees_the_merchant(shop):
    """Without a currency, no balance is read."""
    assert show(shop.admin, shop.merchant).body == {
        "id": shop.merchant,
        "name": "Corner shop",
        "admin": shop.admin.user_id,
    }


def test_its_takings_are_the_sum_of_its_lanes(alice, shop):
    """LG-08: paid and refunded, in the currency asked for."""
    before = show(shop.admin, shop.merchant, currency="USD").body["balance"]["amount"]
    bill = world.settled(alice, (shop.tills[0], 300), (shop.tills[1], 400))
    world.refund(shop.admin, bill["id"], [bill["items"][0]["id"]])
    assert show(shop.admin, shop.merchant, currency="USD").body["balance"] == {
        "amount": before + 400,
        "currency": "USD",
    }
    assert show(shop.admin, shop.merchant, currency="JPY").body["balance"] == {"amount": 0, "currency": "JPY"}


def test_to_anyone_else_it_does_not_exist(shop, cafe, alice):
    """XX-05: operations included."""
    unknown = show(alice, "mer_" + "0" * 32)
    for person in (alice, cafe.admin, Person(groups=("operations",))):
        answer = show(person, shop.merchant)
        assert answer.status == unknown.status == 404
        assert answer.body | {"instance": ""} == unknown.body | {"instance": ""}


def test_an_unknown_currency_is_refused(shop):
    """With a pointer."""
    answer = show(shop.admin, shop.merchant, currency="usd")
    assert (answer.status, answer.body["pointer"]) == (400, "/currency")
