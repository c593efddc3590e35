"""What counts as typed: the server compares each field with the photo that the binding names, and asks nobody else."""

import json
import random
from collections.abc import Iterator
from typing import Any

import pytest

from billfold import card_photos, vault
from billfold.cards import card_rows
from infra.demo import card_pictures as rendering
from infra.demo.card_faces import Card
from tests import world
from tests.cloud.delivery import sqs_event
from tests.world import STEPS, Person, Response, photo_world, vault_keys
from tests.world.card_world import CardWorld, number
from tests.world.photo_world import started, told

ALL = card_photos.FIELDS
DRAWN = Card(number("approved"), "Visa", "2031-07", "ADA HOLDER", "Harbour Savings")
OTHER_NUMBER = number("approved", 2)


@pytest.fixture(scope="module")
def picture() -> bytes:
    """A card whose every field can be read."""
    return rendering.photo(DRAWN, "flat", random.Random("typed fields"))


@pytest.fixture
def bucket(cards: CardWorld) -> Iterator[Any]:
    """The bucket of photos beside the sandbox bank."""
    with photo_world.bucket_and_keys() as s3:
        yield s3


def read(bucket: Any, person: Person, image: bytes) -> str:
    """A photo of this person's that was read."""
    photo = started(person)
    photo_world.put(bucket, photo, image)
    assert told(photo) == {"outcome": "read"}
    return photo


def typed(answer: Response) -> tuple[str, ...]:
    """What the record of the binding says was typed."""
    assert answer.status == 201, answer
    return card_rows.load(answer.body["id"]).present.typed


def test_a_field_is_typed_unless_it_is_as_the_photo_shows_it(bucket, cards, picture):
    """CB-03, issue 12 F19: each field by itself, exactly, whatever the phone claims; one photo serves for several bindings."""
    person = world.joined()
    photo = read(bucket, person, picture)
    corrections: list[tuple[dict[str, Any], tuple[str, ...]]] = [
        ({}, ()),
        ({"number": f"{DRAWN.number[:4]} {DRAWN.number[4:]}"}, ()),
        ({"number": OTHER_NUMBER}, ("number",)),
        ({"expiry": {"year": 2031, "month": 8}}, ("expiry",)),
        ({"expiry": {"year": 2032, "month": 7}}, ("expiry",)),
        ({"holder": "Ada Holder"}, ("holder",)),
        ({"holder": "ADA HOLDERS"}, ("holder",)),
        ({"number": OTHER_NUMBER, "expiry": {"year": 2030, "month": 1}, "holder": "EVE"}, ALL),
    ]
    for turn, (correction, expected) in enumerate(corrections):
        claimed = list(ALL[: turn % 4])
        answer = cards.bind(person, DRAWN.number, body={"photo": photo, "typed": claimed, **correction})
        assert typed(answer) == expected, correction
        assert card_rows.load(answer.body["id"]).changes[0].photo == photo
        assert cards.remove(person, answer.body["id"]).status == 204


@pytest.mark.parametrize("claimed", [[], ["number"], ["expiry", "holder"], list(ALL)])
def test_without_a_photo_everything_is_typed(cards, visitor, claimed):
    """CB-03: what the phone says of it is taken, and says nothing."""
    assert typed(cards.bind(visitor, DRAWN.number, body={"typed": claimed})) == ALL


def test_what_a_photo_does_not_show_is_typed(bucket, cards, visitor):
    """CB-03: a picture of the number alone tells neither expiry nor holder."""
    photo = read(bucket, visitor, photo_world.number_alone(DRAWN.number))
    assert typed(cards.bind(visitor, DRAWN.number, body={"photo": photo})) == ("expiry", "holder")


def test_a_photo_that_shows_nothing_refuses_nothing(bucket, store, cards, later):
    """CB-03: not uploaded, unreadable or over by now, swept or not: everything counts as typed, and typing is always possible."""
    people = [world.joined(pin=None) for _ in range(4)]
    waiting, unreadable, *over = [started(person) for person in people]
    photo_world.put(bucket, unreadable, b"no image")
    assert told(unreadable) == {"outcome": "unreadable"}
    for photo in over:
        photo_world.put(bucket, photo, photo_world.number_alone(DRAWN.number))
        assert told(photo) == {"outcome": "read"}
    for rest, (person, photo) in enumerate(zip(people[:2], (waiting, unreadable), strict=True)):
        assert typed(cards.bind(person, number("approved", rest), body={"photo": photo})) == ALL
    later(minutes=13, seconds=1)
    STEPS["expire_card_photos"].handler(sqs_event([over[1]]), None)
    kept = {row["pk"]["S"]: row for row in store.rows("photos")}
    assert "fingerprints" in kept[over[0]]
    assert {"fingerprints", "sealed_reading"} & set(kept[over[1]]) == set()
    for person, photo in zip(people[2:], over, strict=True):
        assert typed(cards.bind(person, DRAWN.number, body={"photo": photo})) == ALL


def test_anothers_photo_is_one_that_does_not_exist(bucket, store, cards, visitor, alice):
    """XX-05, CB-03: the same answer, before anything is stored or tried; nobody learns what a stranger's photo shows."""
    photo = read(bucket, alice, photo_world.number_alone(DRAWN.number))
    before = [store.rows(table) for table in ("cards", "vault", "operations")]
    answers = [
        cards.bind(visitor, DRAWN.number, body={"photo": one}) for one in (photo, "pho_" + "0" * 32, "crd_" + "0" * 32)
    ]
    assert [(answer.status, answer.code) for answer in answers] == [(404, "not_found")] * 3
    assert len({json.dumps(answer.body | {"instance": ""}, sort_keys=True) for answer in answers}) == 1
    assert [store.rows(table) for table in ("cards", "vault", "operations")] == before


def test_a_repeat_is_the_first_answer_when_the_photo_is_over(bucket, cards, visitor, later):
    """LG-10: and the record stays as it was."""
    photo = read(bucket, visitor, photo_world.number_alone(DRAWN.number))
    first = cards.bind(visitor, DRAWN.number, body={"photo": photo}, key="once")
    later(minutes=14)
    again = cards.bind(visitor, DRAWN.number, body={"photo": photo}, key="once")
    assert (again.status, again.body) == (first.status, first.body)
    assert typed(again) == ("expiry", "holder")


def test_a_photo_read_before_a_new_generation_of_keys_is_compared_by_the_old_one(bucket, cards, visitor):
    """CB-19: every generation in use tells the same number."""
    vault_keys.make("1", "2")
    with vault_keys.listed("1"):
        photo = read(bucket, visitor, photo_world.number_alone(DRAWN.number))
    with vault_keys.listed("2 1"):
        assert typed(cards.bind(visitor, DRAWN.number, body={"photo": photo})) == ("expiry", "holder")


def test_what_is_compared_tells_nothing_by_itself(bucket, store, visitor, picture):
    """CB-18, CB-19: a number's fingerprint is the vault's; the same expiry and holder have other ones under another photo."""
    photos = [read(bucket, visitor, picture) for _ in range(2)]
    first, second = (json.loads(row["fingerprints"]["S"]) for row in store.rows("photos") if row["pk"]["S"] in photos)
    assert set(first) == set(second) == set(ALL)
    assert first["number"] == second["number"] == vault.fingerprint(DRAWN.number, "1")
    assert {first["expiry"], first["holder"]} & {second["expiry"], second["holder"]} == set()
