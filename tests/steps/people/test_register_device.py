"""Registering a phone by its public key."""

import uuid

import pytest

from billfold.people import MAX_DEVICES
from infra.clients.phones import Phone
from tests import world
from tests.world import Person, call


def register(person, jwk=None, name="phone", **options):
    return call("POST", "/v1/devices", person, {"name": name, "jwk": jwk or person.phone.jwk}, **options)


@pytest.mark.parametrize("curve", ["Ed25519", "P-256"])
def test_a_phone_is_registered_by_its_thumbprint(store, curve):
    """Its id is `dev_` and the RFC 7638 thumbprint of its key."""
    person = Person(phone=Phone(curve))
    answer = register(person)
    assert answer.status == 201
    assert answer.body == {"id": person.phone.device_id, "thumbprint": person.phone.thumbprint, "name": "phone"}


def test_the_first_phone_makes_the_user(store):
    """VB-01: from then on the user is known."""
    person = Person()
    assert (
        call("POST", "/v1/bills", person, {"device": person.phone.device_id, "currency": "USD"}).code == "user_unknown"
    )
    register(person)
    assert world.opened(person)


def test_the_same_key_again_is_the_same_phone(visitor):
    """Its first name stays; nothing is registered twice."""
    again = register(visitor, name="renamed")
    assert (again.status, again.body["id"], again.body["name"]) == (201, visitor.phone.device_id, "phone")
    assert len(call("GET", "/v1/devices", visitor).body["items"]) == 1


def test_two_people_may_share_a_phone(visitor):
    """The device belongs to each of them apart."""
    other = world.joined(Person(phone=visitor.phone), pin=None)
    assert world.opened(other) != world.opened(visitor)


ED = Phone().jwk
EC = Phone("P-256").jwk
BROKEN = {
    "another type": {"kty": "RSA", "n": "AQAB", "e": "AQAB"},
    "another curve": EC | {"crv": "P-384"},
    "no coordinates": {"kty": "OKP", "crv": "Ed25519"},
    "short": ED | {"x": "AAAA"},
    "padded": ED | {"x": ED["x"] + "="},
    "not base64": ED | {"x": "!" * 43},
    "a number": ED | {"x": 5},
    "not on the curve": EC | {"y": EC["x"]},
    "a private key": ED | {"d": ED["x"]},
    "empty": {},
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_key_that_is_none_is_refused_with_a_pointer(store, case):
    """Ed25519 and P-256 public keys only."""
    answer = call("POST", "/v1/devices", Person(), {"name": "phone", "jwk": BROKEN[case]})
    assert (answer.status, answer.code) == (400, "invalid")
    assert answer.body["pointer"].startswith("/jwk")


def test_a_user_has_twenty_phones_at_most(visitor):
    """The answer names the limit; a removed phone makes room; one that is registered is no new one."""
    for _ in range(MAX_DEVICES - 1):
        assert register(visitor, Phone().jwk).status == 201
    answer = register(visitor, ED)
    assert (answer.status, answer.code, answer.body["limit"]) == (409, "device_limit_reached", MAX_DEVICES)
    assert register(visitor).status == 201
    call("DELETE", f"/v1/devices/{visitor.phone.device_id}", visitor)
    assert register(visitor, ED).status == 201


def test_a_repeat_gets_the_first_answer(store):
    """LG-10: even when the phone was removed since; it stays removed."""
    person, key = Person(), str(uuid.uuid4())
    first = register(person, key=key)
    call("DELETE", f"/v1/devices/{person.phone.device_id}", person)
    assert register(person, key=key).body == first.body
    assert call("GET", "/v1/devices", person).body["items"] == []
