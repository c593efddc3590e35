"""Reading an uploaded photo, once, and deleting it whatever was in it."""

import base64
import json
import os
import random
from typing import get_args

import pytest

from billfold import card_photos
from billfold.errors import Unavailable
from billfold.triggers import log
from functions.card_photos import get_card_photo
from infra.demo import card_pictures as rendering
from infra.plan.stages import ROOT
from tests.world import photo_world
from tests.world.photo_world import objects, put, shown, started, told

TEXT = "We could not read the card. Hold it flat in good light, or type the number."


@pytest.fixture
def photo(bucket, visitor):
    """A photo that waits for its upload."""
    return started(visitor)


def rows(store, photo):
    return [row for row in store.rows("photos") if row["pk"]["S"] == photo]


def test_the_owner_is_shown_every_field_with_its_confidence(bucket, visitor, photo, card, image):
    """CB-02: number, brand, expiry, holder."""
    put(bucket, photo, image)
    assert told(photo) == {"outcome": "read"}
    body = shown(visitor, photo).body
    assert body["state"] == "read"
    assert (body["number"]["value"], body["brand"]["value"]) == (card.number, card.brand)
    assert f"{body['expiry']['year']}-{body['expiry']['month']:02d}" == card.expiry
    assert body["holder"]["value"] == card.holder
    assert all(0.5 < body[name]["confidence"] <= 1 for name in ("number", "brand", "expiry", "holder"))


def test_the_photo_is_deleted_and_no_table_holds_the_number(bucket, visitor, photo, card, image, store):
    """CB-18, CB-19: neither in plain nor encoded; only sealed."""
    put(bucket, photo, image)
    told(photo)
    assert objects(bucket) == []
    kept = json.dumps(rows(store, photo), default=lambda data: [data.hex(), data.decode("latin-1")])
    forms = [card.number, card.number[::-1], card.number[-10:], card.number.encode().hex(), card.holder]
    forms += [base64.b64encode(f"{' ' * pad}{card.number}".encode()).decode()[4:-4] for pad in range(3)]
    assert [form for form in forms if form in kept] == []


def test_what_was_read_is_sealed_for_this_photo_alone(bucket, visitor, photo, card, store):
    """CB-19: moved to another row, or changed by a byte, it opens no more."""
    other = started(visitor)
    for one in (photo, other):
        put(bucket, one, photo_world.number_alone(card.number))
        told(one)
    row, target = rows(store, photo)[0], rows(store, other)[0]
    sealed = {name: row[name] for name in ("sealed_under", "sealed_key", "sealed_reading")}
    store.client.put_item(TableName="billfold-photos", Item=target | sealed)
    assert shown(visitor, other).status == 500
    changed = bytearray(row["sealed_reading"]["B"])
    changed[20] ^= 1
    store.client.put_item(TableName="billfold-photos", Item=row | {"sealed_reading": {"B": bytes(changed)}})
    answer = shown(visitor, photo)
    assert answer.status == 500
    assert card.number not in json.dumps(answer.body)


def test_an_event_that_comes_twice_changes_nothing(bucket, visitor, photo, image):
    """CB-02: S3 tells at least once."""
    put(bucket, photo, image)
    told(photo)
    first = shown(visitor, photo).body
    assert told(photo) == {"outcome": "not awaited"}
    assert shown(visitor, photo).body == first


def test_a_second_upload_is_deleted_unread(bucket, visitor, photo, card, image):
    """CB-19: the form may be used again while it is valid, but not for another reading."""
    put(bucket, photo, image)
    told(photo)
    other = next(number for number in ("4242424242424242", "5555555555554444") if number != card.number)
    put(bucket, photo, photo_world.number_alone(other))
    assert told(photo) == {"outcome": "not awaited"}
    assert objects(bucket) == []
    assert shown(visitor, photo).body["number"]["value"] == card.number


def test_an_event_before_its_object_can_be_seen_leaves_the_photo_waiting(bucket, visitor, photo):
    """CB-02: gone, or deleted by hand: the phone may upload again."""
    assert told(photo) == {"outcome": "gone"}
    assert shown(visitor, photo).body["state"] == "awaiting_upload"


@pytest.mark.parametrize("key", ["pho_unknown", "something/else.jpg", "pho_" + "0" * 32])
def test_an_object_of_no_photo_is_deleted(bucket, store, key, image):
    """CB-19: nothing that nobody waits for stays."""
    before = store.rows("photos")
    put(bucket, key, image)
    assert told(key) == {"outcome": "not awaited"}
    assert objects(bucket) == []
    assert store.rows("photos") == before


def test_an_upload_after_the_end_is_deleted_unread(bucket, visitor, photo, image, later):
    """CB-19: at the latest after fifteen minutes."""
    later(minutes=13)
    put(bucket, photo, image)
    assert told(photo) == {"outcome": "not awaited"}
    assert objects(bucket) == []
    assert shown(visitor, photo).body["state"] == "expired"


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("nothing", "no_image"),
        ("text", "no_image"),
        ("landscape", "no_card"),
        ("two", "two_cards"),
    ],
)
def test_what_cannot_be_read_says_why_and_is_deleted(bucket, visitor, photo, kind, reason):
    """CB-02: a text for the user and a code."""
    chance = random.Random(kind)
    images = {
        "nothing": lambda: b"",
        "text": lambda: b"GIF89a, or anything else",
        "landscape": lambda: rendering.landscape(chance),
        "two": lambda: rendering.photo_of_two(rendering.card(chance), rendering.card(chance), chance),
    }
    put(bucket, photo, images[kind]())
    assert told(photo) == {"outcome": "unreadable"}
    body = shown(visitor, photo).body
    assert (body["state"], body["reason"], body["text"]) == ("unreadable", reason, TEXT)
    assert "number" not in body
    assert objects(bucket) == []


@pytest.mark.parametrize(
    ("kind", "reason", "words"),
    [("too large", "too_large", "too large"), ("specimen", "number_invalid", "not a valid card number")],
)
def test_what_better_light_would_not_help_has_words_of_its_own(bucket, visitor, photo, kind, reason, words):
    """CB-02: the next thing to do is another one."""
    images = {
        "too large": lambda: b"\xff\xd8" + b"\x00" * (8 * 1024 * 1024),
        "specimen": lambda: photo_world.number_alone("1234567890123456"),
    }
    put(bucket, photo, images[kind]())
    assert told(photo) == {"outcome": "unreadable"}
    body = shown(visitor, photo).body
    assert (body["state"], body["reason"]) == ("unreadable", reason)
    assert words in body["text"]
    assert "number" in body["text"]
    assert "number" not in body
    assert objects(bucket) == []


def test_every_reason_stands_in_the_guide_and_those_with_words_of_their_own_exist():
    """CB-02: none is shown without saying what to do."""
    guide = (ROOT / "docs" / "api.md").read_text()
    reasons = get_args(card_photos.Reason)
    assert [reason for reason in reasons if f"| `{reason}` |" not in guide] == []
    assert set(get_card_photo.OTHERWISE) < set(reasons)


def test_a_fault_of_ours_is_told_as_unreadable_and_seen_as_a_fault(bucket, visitor, photo, image, monkeypatch, heard):
    """CB-19: the photo is deleted all the same; Lambda hears the fault, and its second try finds nothing to do."""
    monkeypatch.setenv("BILLFOLD_CARD_READER", "none such")
    put(bucket, photo, image)
    with pytest.raises(log.Crashed, match=r"^LookupError$"):
        told(photo)
    assert objects(bucket) == []
    body = shown(visitor, photo).body
    assert (body["state"], body["reason"], body["text"]) == ("unreadable", "fault", TEXT)
    assert told(photo) == {"outcome": "not awaited"}
    assert '"fault":"LookupError"' in heard.getvalue()


def test_an_outage_leaves_the_photo_for_the_next_try(bucket, visitor, photo, card, monkeypatch):
    """CB-02: Lambda delivers again; the phone need not."""
    key = os.environ["BILLFOLD_KEY_VAULT_1"]
    monkeypatch.setenv("BILLFOLD_KEY_VAULT_1", key.rpartition("/")[0] + "/00000000-0000-0000-0000-000000000000")
    put(bucket, photo, photo_world.number_alone(card.number))
    with pytest.raises(Unavailable):
        told(photo)
    assert objects(bucket) == [photo]
    assert shown(visitor, photo).body["state"] == "awaiting_upload"
    monkeypatch.setenv("BILLFOLD_KEY_VAULT_1", key)
    assert told(photo) == {"outcome": "read"}
    assert objects(bucket) == []


def test_neither_the_number_nor_the_holder_is_logged(bucket, visitor, photo, card, image, heard):
    """CB-18: a line says which object, and what became of it."""
    put(bucket, photo, image)
    told(photo)
    shown(visitor, photo)
    lines = heard.getvalue()
    assert photo in lines
    assert card.number not in lines
    assert card.holder not in lines
