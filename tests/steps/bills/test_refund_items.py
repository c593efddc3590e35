"""A seller giving settled items back."""

import uuid

import pytest

from tests import world
from tests.world import call, refund


@pytest.fixture
def bill(alice, shop, cafe):
    """A paid bill: 3.00 and 1.00 to one seller, 4.00 to another."""
    return world.settled(alice, (shop.tills[0], 300), (shop.tills[0], 100), (cafe.tills[0], 400))


@pytest.fixture
def items(bill):
    return [item["id"] for item in bill["items"]]


def test_an_item_goes_back_through_the_same_split(alice, shop, cafe, bill, items):
    """VB-20: from the seller who got it to the wallet that paid it."""
    before = (world.sales(shop), world.sales(cafe))
    answer = refund(shop.admin, bill["id"], items[:1])
    assert (answer.status, answer.body["state"]) == (201, "partially_refunded")
    assert world.wallet(alice) == 100_000 - 800 + 300
    assert (world.sales(shop), world.sales(cafe)) == (before[0] - 300, before[1])


def test_the_refund_names_the_transfer_that_it_corrects(shop, bill, items):
    """LG-03: a correction is another transfer that names the first."""
    made = refund(shop.admin, bill["id"], items[:1]).body["refunds"][0]["transfer"]
    transfer = call("GET", f"/v1/transfers/{made}", shop.admin).body
    assert (transfer["reverses"], transfer["about"], transfer["amount"]["amount"]) == (
        bill["transfer"],
        bill["id"],
        300,
    )


def test_a_bill_without_a_settled_item_left_is_refunded(alice, shop, cafe, bill, items):
    """VB-20, XX-05: part by part; each seller sees its own part, the owner the whole."""
    assert refund(shop.admin, bill["id"], items[:2]).body["state"] == "refunded"
    assert (world.shown(cafe.admin, bill["id"])["state"], world.shown(alice, bill["id"])["state"]) == (
        "settled",
        "partially_refunded",
    )
    assert refund(cafe.admin, bill["id"], items[2:]).body["state"] == "refunded"
    assert world.shown(alice, bill["id"])["state"] == "refunded"
    assert world.wallet(alice) == 100_000


def test_an_item_is_refunded_at_most_once(alice, shop, bill, items):
    """VB-20: a second refund hears the item's state, and gives back nothing of its batch."""
    refund(shop.admin, bill["id"], items[:1])
    answer = refund(shop.admin, bill["id"], [items[1], items[0]])
    assert (answer.status, answer.code, answer.body["state"]) == (409, "item_state_conflict", "refunded")
    assert world.wallet(alice) == 100_000 - 800 + 300


def test_a_seller_refunds_its_own_items_only(alice, visitor, shop, cafe, bill, items):
    """XX-05: another's item is answered like an unknown one; the user and strangers find no bill."""
    unknown = refund(shop.admin, bill["id"], ["itm_" + "0" * 32])
    for person, chosen in ((shop.admin, items[2:]), (shop.admin, items), (alice, items[:1]), (visitor, items[:1])):
        answer = refund(person, bill["id"], chosen)
        assert answer.status == unknown.status == 404
        assert answer.body | {"instance": ""} == unknown.body | {"instance": ""}
    assert world.wallet(alice) == 100_000 - 800


def test_what_was_never_paid_cannot_be_refunded(alice, shop):
    """VB-20: settled items only."""
    bill = world.to_verify(alice, (shop.tills[0], 300))
    assert refund(shop.admin, bill["id"], [bill["items"][0]["id"]]).code == "item_state_conflict"


def test_an_item_named_twice_is_refused(shop, bill, items):
    """With a pointer to the list."""
    answer = refund(shop.admin, bill["id"], [items[0], items[0]])
    assert (answer.status, answer.body["pointer"]) == (400, "/items")


def test_one_refund_is_of_one_sellers_items(alice, visitor):
    """Someone who administers two merchants refunds for one at a time."""
    shop = world.seller(terminals=1)
    stall = call("POST", "/v1/merchants", shop.admin, {"name": "Stall"}).body["id"]
    till = world.Till()
    till.terminal_id = call(
        "POST", "/v1/terminals", shop.admin, {"merchant": stall, "public_key": till.public_key}
    ).body["id"]
    bill = world.settled(alice, (shop.tills[0], 300), (till, 100))
    answer = refund(shop.admin, bill["id"], [item["id"] for item in bill["items"]])
    assert (answer.status, answer.body["pointer"]) == (400, "/items")


def test_a_sellers_account_may_fall_below_zero(alice, cafe, bill, items):
    """The next sales make up for it; only wallets stop at zero (LG-06)."""
    world.drain_sales(cafe)
    assert refund(cafe.admin, bill["id"], items[2:]).status == 201
    assert world.sales(cafe) == -400


def test_a_repeat_gets_the_first_answer_and_refunds_nothing_twice(alice, shop, bill, items):
    """LG-10: also after another refund of the same bill."""
    key = str(uuid.uuid4())
    first = refund(shop.admin, bill["id"], items[:1], key=key)
    refund(shop.admin, bill["id"], items[1:2])
    again = refund(shop.admin, bill["id"], items[:1], key=key)
    assert (again.status, again.body) == (201, first.body)
    assert world.wallet(alice) == 100_000 - 800 + 400
