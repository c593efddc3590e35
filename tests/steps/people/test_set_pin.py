"""Setting and changing the payment PIN."""

import pytest

from tests import world
from tests.world import PIN, Person, call


def put(person, pin, **fields):
    return call("PUT", "/v1/pin", person, {"pin": pin} | fields)


def stored(store, person):
    return next(row for row in store.rows("people") if row["pk"]["S"] == person.user_id and row["sk"]["S"] == "user")


def test_a_pin_is_kept_as_an_argon2_hash_only(store, visitor):
    """VB-14: nobody can read it back."""
    assert put(visitor, PIN).status == 204
    assert stored(store, visitor)["pin_hash"]["S"].startswith("$argon2id$")
    assert PIN not in stored(store, visitor)["pin_hash"]["S"]


def test_changing_it_needs_the_current_one(visitor):
    """Whoever holds an unlocked phone still cannot change it."""
    put(visitor, PIN)
    answer = put(visitor, "204863")
    assert (answer.status, answer.body["pointer"]) == (400, "/current_pin")
    assert put(visitor, "204863", current_pin=PIN).status == 204
    assert put(visitor, PIN, current_pin=PIN).code == "pin_wrong"


def test_wrong_current_pins_count_and_lock(alice, later):
    """VB-15: the same three tries as for paying, then 15 minutes."""
    answers = [put(alice, "204863", current_pin="111213") for _ in range(4)]
    assert [answer.code for answer in answers] == ["pin_wrong", "pin_wrong", "pin_locked", "pin_locked"]
    assert put(alice, "204863", current_pin=PIN).code == "pin_locked"
    later(minutes=15, seconds=1)
    assert put(alice, "204863", current_pin=PIN).status == 204


def test_tries_of_changing_and_of_paying_are_one_count(alice, shop):
    """VB-15: no second set of guesses."""
    put(alice, "204863", current_pin="111213")
    bill = world.to_verify(alice, (shop.tills[0], 100))
    assert bill["verification"]["tries_left"] == 2


@pytest.mark.parametrize("pin", ["1111", "000000", "1234", "87654321", "7890", "1212", "123123", "2580", "159753"])
def test_an_obvious_pin_is_refused(visitor, pin):
    """Repetitions, runs and the commonest ones."""
    answer = put(visitor, pin)
    assert (answer.status, answer.code) == (422, "pin_too_obvious")


@pytest.mark.parametrize("pin", ["739", "739164825", "73916a", "", "７３９１６４", "739164\n"])
def test_a_pin_is_four_to_eight_ascii_digits(visitor, pin):
    """Anything else is malformed, with a pointer, and never repeated in the answer."""
    answer = put(visitor, pin)
    assert (answer.status, answer.body["pointer"]) == (400, "/pin")
    assert not pin or pin not in str(answer.body)


def test_without_a_phone_there_is_no_user_to_set_it_for(store):
    """VB-01: register a phone first."""
    assert put(Person(), PIN).code == "user_unknown"


def test_a_suspended_user_sets_no_pin(visitor):
    """VB-01: suspension holds from the next request."""
    world.suspend(visitor)
    assert put(visitor, PIN).code == "user_suspended"
