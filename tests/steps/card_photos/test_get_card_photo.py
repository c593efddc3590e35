"""Showing what was read to its owner, for a quarter of an hour."""

import pytest

from tests import world
from tests.world import Person, photo_world
from tests.world.photo_world import put, shown, started, told

NUMBER = "4242424242424242"


@pytest.fixture
def photo(bucket, visitor):
    """A photo that was read."""
    photo = started(visitor)
    put(bucket, photo, photo_world.number_alone(NUMBER))
    assert told(photo) == {"outcome": "read"}
    return photo


def test_the_number_is_shown_whole_and_never_stored_on_the_way(visitor, photo):
    """CB-03: the user confirms it; what was not found is left out."""
    answer = shown(visitor, photo)
    assert answer.status == 200
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.body["number"]["value"] == NUMBER
    assert answer.body["brand"]["value"] == "Visa"
    assert "expiry" not in answer.body
    assert "holder" not in answer.body


def test_to_anyone_else_it_does_not_exist(photo, visitor):
    """XX-05: like a photo that never was."""
    unknown = shown(visitor, "pho_" + "0" * 32)
    for person in (world.joined(pin=None), Person(groups=("operations",))):
        answer = shown(person, photo)
        assert answer.status == unknown.status == 404
        assert answer.body | {"instance": ""} == unknown.body | {"instance": ""}
    assert shown(None, photo).status == 401


def test_after_a_quarter_of_an_hour_nothing_is_shown_whether_or_not_the_sweep_has_come(visitor, photo, later):
    """CB-19, XX-04: the deadline counts on reading."""
    later(minutes=12, seconds=50)
    assert shown(visitor, photo).body["state"] == "read"
    later(seconds=12)
    assert set(shown(visitor, photo).body) == {"id", "state", "expires_at"}
    assert shown(visitor, photo).body["state"] == "expired"
