"""Revoking a terminal."""

import pytest

from tests import world
from tests.world import Person, call, tap


@pytest.fixture
def shop(store):
    return world.seller()


def revoke(person, terminal):
    return call("DELETE", f"/v1/terminals/{terminal}", person)


def test_what_a_revoked_terminal_signs_counts_no_more(visitor, shop):
    """VB-07: from the next request on; what landed before stays."""
    till, bill = shop.tills[0], world.opened(visitor)
    tap(visitor, bill, [till.item(bill, [("tea", 1, 150)])])
    answer = revoke(shop.admin, till.terminal_id)
    assert (answer.status, answer.body) == (204, None)
    after = tap(visitor, bill, [till.item(bill, [("tea", 1, 150)])])
    assert after.body["results"][0]["problem"]["code"] == "terminal_refused"
    assert len(after.body["bill"]["items"]) == 1


def test_a_second_revocation_changes_nothing(shop, later):
    """The first instant stays."""
    revoke(shop.admin, shop.tills[0].terminal_id)
    before = call("GET", f"/v1/merchants/{shop.merchant}/terminals", shop.admin).body
    later(minutes=1)
    assert revoke(shop.admin, shop.tills[0].terminal_id).status == 204
    assert call("GET", f"/v1/merchants/{shop.merchant}/terminals", shop.admin).body == before


def test_only_the_merchants_administrator_revokes(shop, cafe, alice):
    """XX-05: to others the terminal does not exist."""
    unknown = revoke(alice, "trm_" + "0" * 32)
    for person in (alice, cafe.admin, Person(), Person(groups=("operations",))):
        answer = revoke(person, shop.tills[0].terminal_id)
        assert answer.status == unknown.status == 404
        assert answer.body | {"instance": ""} == unknown.body | {"instance": ""}
    listed = call("GET", f"/v1/merchants/{shop.merchant}/terminals", shop.admin).body["items"]
    assert not any("revoked_at" in one for one in listed)
