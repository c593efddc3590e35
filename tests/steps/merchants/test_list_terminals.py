"""Listing a merchant's terminals."""

from tests.world import Person, call


def terminals(person, merchant):
    return call("GET", f"/v1/merchants/{merchant}/terminals", person)


def test_its_administrator_sees_its_terminals_revoked_ones_included(shop):
    """VB-07: with the instant from which what it signs counts no more."""
    call("DELETE", f"/v1/terminals/{shop.tills[1].terminal_id}", shop.admin)
    listed = {one["id"]: one for one in terminals(shop.admin, shop.merchant).body["items"]}
    assert set(listed) == {till.terminal_id for till in shop.tills}
    assert ["revoked_at" in listed[till.terminal_id] for till in shop.tills] == [False, True]
    assert listed[shop.tills[0].terminal_id] == {
        "id": shop.tills[0].terminal_id,
        "merchant": shop.merchant,
        "name": "terminal",
        "public_key": shop.tills[0].public_key,
    }


def test_to_anyone_else_the_merchant_does_not_exist(shop, cafe, alice):
    """XX-05: not found, like a merchant that never was."""
    unknown = terminals(alice, "mer_" + "0" * 32)
    for person in (alice, cafe.admin, Person(groups=("operations",))):
        answer = terminals(person, shop.merchant)
        assert answer.status == unknown.status == 404
        assert answer.body | {"instance": ""} == unknown.body | {"instance": ""}
