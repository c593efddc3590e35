"""Showing a transfer to its parties."""

import pytest

from tests import world
from tests.world import PIN, Person, call


def show(person, transfer):
    return call("GET", f"/v1/transfers/{transfer}", person)


@pytest.fixture
def transfer(alice, visitor):
    body = {"to": visitor.user_id, "amount": {"amount": 2500, "currency": "USD"}, "reason": "lunch", "pin": PIN}
    return call("POST", "/v1/transfers", alice, body).body


def test_payer_and_payee_see_it(alice, visitor, transfer):
    """Both see the same."""
    assert show(alice, transfer["id"]).body == show(visitor, transfer["id"]).body == transfer


def test_a_seller_sees_its_own_part_of_a_settlement(alice, shop, cafe):
    """VB-20, XX-05: no other seller's takings."""
    bill = world.settled(alice, (shop.tills[0], 300), (cafe.tills[0], 400))
    whole, part = show(alice, bill["transfer"]).body, show(cafe.admin, bill["transfer"]).body
    assert (whole["amount"]["amount"], sorted(whole["payees"])) == (700, sorted([shop.merchant, cafe.merchant]))
    assert (part["amount"]["amount"], part["payees"]) == (400, [cafe.merchant])


def test_money_from_outside_has_no_payer(store, alice):
    """LG-01: the world outside is nobody's name, and not its currency's either."""
    funded = next(row["pk"]["S"] for row in store.rows("ledger") if alice.user_id in row.get("legs", {}).get("S", ""))
    seen = show(alice, funded).body
    assert (seen["kind"], seen["payees"]) == ("top_up", [alice.user_id])
    assert "payer" not in seen


def test_to_anyone_else_it_does_not_exist(shop, transfer):
    """XX-05: not found, like a transfer that never was."""
    unknown = show(shop.admin, "trf_" + "0" * 32)
    for person in (shop.admin, world.joined(pin=None), Person(groups=("operations",))):
        answer = show(person, transfer["id"])
        assert answer.status == unknown.status == 404
        assert answer.body | {"instance": ""} == unknown.body | {"instance": ""}
