"""A seller taking back its own item."""

import pytest

from tests import world
from tests.world import call, close, tap


@pytest.fixture
def bill(visitor):
    return world.opened(visitor, period_seconds=300)


@pytest.fixture
def item(visitor, shop, bill):
    return tap(visitor, bill, [shop.tills[0].item(bill, [("tea", 2, 150)])]).body["results"][0]["item"]


def void(person, bill, item):
    return call("DELETE", f"/v1/bills/{bill}/items/{item}", person)


def test_a_seller_takes_back_its_own_item_before_closing(visitor, shop, bill, item):
    """VB-12: visible to both, and no longer in the total."""
    answer = void(shop.admin, bill, item)
    assert (answer.status, answer.body["items"][0]["state"]) == (200, "voided")
    seen = world.shown(visitor, bill)
    assert (seen["items"][0]["state"], seen["total"]["amount"]) == ("voided", 0)


def test_another_seller_or_the_user_cannot(visitor, cafe, bill, item):
    """XX-05: to them it is answered like an item that never was."""
    unknown = void(cafe.admin, bill, "itm_" + "0" * 32)
    for person in (visitor, cafe.admin):
        answer = void(person, bill, item)
        assert answer.status == unknown.status == 404
        assert answer.body | {"instance": ""} == unknown.body | {"instance": ""}
    assert world.shown(visitor, bill)["items"][0]["state"] == "added"


def test_after_closing_it_is_too_late(visitor, shop, bill, item):
    """VB-12: then the user disputes, or the seller refunds."""
    close(visitor, bill)
    assert void(shop.admin, bill, item).code == "bill_state_conflict"


def test_after_the_period_it_is_too_late_even_before_the_sweep(shop, bill, item, later):
    """VB-12, XX-04: the deadline counts, not the job."""
    later(minutes=6)
    assert void(shop.admin, bill, item).code == "bill_state_conflict"


def test_a_second_time_hears_the_items_state(shop, bill, item):
    """Nothing happens twice."""
    void(shop.admin, bill, item)
    answer = void(shop.admin, bill, item)
    assert (answer.status, answer.code, answer.body["state"]) == (409, "item_state_conflict", "voided")


def test_a_suspended_administrator_voids_nothing(visitor, store):
    """VB-01: suspended people act nowhere."""
    shop = world.seller(terminals=1)
    bill = world.opened(visitor)
    item = tap(visitor, bill, [shop.tills[0].item(bill, [("tea", 1, 150)])]).body["results"][0]["item"]
    world.suspend(shop.admin)
    assert void(shop.admin, bill, item).code == "user_suspended"
