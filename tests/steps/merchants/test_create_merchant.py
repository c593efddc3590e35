"""Creating a merchant with its administrator."""

import uuid

import pytest

from tests import world
from tests.world import Person, call


@pytest.fixture
def admin(store):
    return world.joined(Person(groups=("merchant_admins",)), pin=None)


@pytest.fixture
def operations(store):
    return Person(groups=("operations",))


def create(person, **fields):
    options = {"key": fields.pop("key")} if "key" in fields else {}
    return call("POST", "/v1/merchants", person, {"name": "Corner shop"} | fields, **options)


def test_an_administrator_creates_a_merchant_of_their_own(admin):
    """From then on they act for it."""
    answer = create(admin)
    assert answer.status == 201
    assert answer.body == {"id": answer.body["id"], "name": "Corner shop", "admin": admin.user_id}
    assert call("GET", f"/v1/merchants/{answer.body['id']}", admin).body == answer.body


def test_somebody_can_administer_several(admin):
    """One list per user."""
    merchants = [create(admin).body["id"] for _ in range(3)]
    assert [call("GET", f"/v1/merchants/{merchant}/terminals", admin).status for merchant in merchants] == [200] * 3


def test_an_ordinary_user_cannot(visitor):
    """The identity provider's group says who may."""
    answer = create(visitor)
    assert (answer.status, answer.code) == (403, "forbidden")


def test_operations_may_name_another_administrator(operations, visitor):
    """Who need not be in the group."""
    merchant = create(operations, admin=visitor.user_id).body
    assert merchant["admin"] == visitor.user_id
    assert call("GET", f"/v1/merchants/{merchant['id']}", visitor).status == 200
    assert call("GET", f"/v1/merchants/{merchant['id']}", operations).status == 404


def test_only_operations_may(admin, visitor):
    """Nobody makes another person a merchant."""
    assert create(admin, admin=visitor.user_id).code == "forbidden"


def test_an_unknown_administrator_is_not_found(operations):
    """A user exists from their first phone on."""
    assert create(operations, admin="usr_" + "0" * 32).code == "not_found"
    assert create(operations).code == "not_found"


def test_a_suspended_administrator_gets_no_merchant(admin):
    """VB-01: suspended people act nowhere."""
    world.suspend(admin)
    assert create(admin).code == "user_suspended"


def test_a_repeat_gets_the_first_answer_and_makes_no_second_merchant(store, admin):
    """LG-10: one operation, one merchant."""
    key = str(uuid.uuid4())
    assert create(admin, key=key).body == create(admin, key=key).body
    rows = [row for row in store.rows("merchants") if row.get("admin", {}).get("S") == admin.user_id]
    assert len(rows) == 1


@pytest.mark.parametrize("groups", [("support",), ("merchant_operators", "auditors"), ("MERCHANT_ADMINS",)])
def test_another_group_than_those_two_cannot(store, groups):
    """XX-05: to be in some group is not enough, whoever is named as administrator."""
    person = world.joined(Person(groups=groups), pin=None)
    for named in ({}, {"admin": person.user_id}):
        answer = create(person, **named)
        assert (answer.status, answer.code) == (403, "forbidden")
