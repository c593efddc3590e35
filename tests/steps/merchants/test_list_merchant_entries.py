"""A merchant's statement."""

import pytest

from tests import world
from tests.cloud import delivery
from tests.world import Person, call


def entries(person, merchant, **query):
    return call("GET", f"/v1/merchants/{merchant}/entries", person, query=query or None)


def test_the_statement_adds_up_to_the_balance(store, queues, alice, shop):
    """LG-09, VB-20: sales and refunds, with the bill that they are about."""
    bill = world.settled(alice, (shop.tills[0], 300), (shop.tills[1], 400))
    world.refund(shop.admin, bill["id"], [bill["items"][0]["id"]])
    delivery.deliver(store, queues)
    oldest = entries(shop.admin, shop.merchant, order="oldest").body["items"]
    assert [entry["amount"] for entry in oldest[-2:]] == [700, -300]
    assert {entry["about"] for entry in oldest[-2:]} == {bill["id"]}
    assert sum(entry["amount"] for entry in oldest) == world.sales(shop)
    assert entries(shop.admin, shop.merchant).body["items"] == oldest[::-1]


def test_each_currency_has_a_statement_of_its_own(store, queues, shop):
    """LG-01: one account, one currency."""
    person = world.joined()
    world.fund(person, 5000, "EUR")
    world.settled(person, (shop.tills[0], 1200), currency="EUR")
    delivery.deliver(store, queues)
    assert [entry["amount"] for entry in entries(shop.admin, shop.merchant, currency="EUR").body["items"]] == [1200]
    assert entries(shop.admin, shop.merchant, currency="JPY").body["items"] == []


@pytest.mark.parametrize("query", [{"currency": "XXX"}, {"order": "random"}, {"limit": "101"}, {"cursor": "x"}])
def test_what_cannot_be_asked_is_refused_with_a_pointer(shop, query):
    """LG-09: currency, order, limit and cursor."""
    answer = entries(shop.admin, shop.merchant, **query)
    assert (answer.status, answer.body["pointer"]) == (400, f"/{next(iter(query))}")


def test_to_anyone_else_it_does_not_exist(shop, cafe, alice):
    """XX-05: not found, like a merchant that never was."""
    unknown = entries(alice, "mer_" + "0" * 32)
    for person in (alice, cafe.admin, Person(groups=("operations",))):
        answer = entries(person, shop.merchant)
        assert answer.status == unknown.status == 404
        assert answer.body | {"instance": ""} == unknown.body | {"instance": ""}
