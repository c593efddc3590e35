"""Registering a merchant's terminal."""

import base64
import uuid

import pytest

from infra.clients.phones import Till
from tests import world
from tests.world import call, tap


def register(person, merchant, public_key, **options):
    body = {"merchant": merchant, "public_key": public_key, "name": "Till 3"}
    return call("POST", "/v1/terminals", person, body, **options)


def test_a_registered_terminal_signs_items(visitor, shop):
    """VB-06: by its Ed25519 public key."""
    till = Till()
    answer = register(shop.admin, shop.merchant, till.public_key)
    assert answer.status == 201
    assert answer.body == {
        "id": answer.body["id"],
        "merchant": shop.merchant,
        "name": "Till 3",
        "public_key": till.public_key,
    }
    till.terminal_id, bill = answer.body["id"], world.opened(visitor)
    assert tap(visitor, bill, [till.item(bill, [("tea", 1, 150)])]).body["results"][0]["outcome"] == "added"


def test_only_the_merchants_administrator_registers(alice, shop, cafe):
    """XX-05: to others the merchant does not exist."""
    unknown = register(alice, "mer_" + "0" * 32, Till().public_key)
    for person in (alice, cafe.admin, world.Person()):
        answer = register(person, shop.merchant, Till().public_key)
        assert answer.status == unknown.status == 404
        assert answer.body | {"instance": ""} == unknown.body | {"instance": ""}


def test_a_suspended_administrator_registers_nothing(store):
    """VB-01: suspended people act nowhere."""
    shop = world.seller(terminals=0)
    world.suspend(shop.admin)
    assert register(shop.admin, shop.merchant, Till().public_key).code == "user_suspended"


@pytest.mark.parametrize(
    "key", ["", "AAAA", "!" * 44, base64.b64encode(bytes(31)).decode(), base64.b64encode(bytes(33)).decode()]
)
def test_a_key_that_is_none_is_refused_with_a_pointer(shop, key):
    """32 bytes of base64."""
    answer = register(shop.admin, shop.merchant, key)
    assert (answer.status, answer.body["pointer"]) == (400, "/public_key")


def test_a_repeat_gets_the_first_answer_and_registers_nothing_twice(store):
    """LG-10: also when it was revoked since."""
    shop, key, public_key = world.seller(terminals=0), str(uuid.uuid4()), Till().public_key
    first = register(shop.admin, shop.merchant, public_key, key=key)
    call("DELETE", f"/v1/terminals/{first.body['id']}", shop.admin)
    assert register(shop.admin, shop.merchant, public_key, key=key).body == first.body
    assert len(call("GET", f"/v1/merchants/{shop.merchant}/terminals", shop.admin).body["items"]) == 1
