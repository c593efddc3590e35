"""Deleting photos that were never read, and erasing what was read from others."""

from tests.cloud.delivery import sqs_event
from tests.world import STEPS, photo_world
from tests.world.photo_world import objects, put, shown, started, told

DONE = {"batchItemFailures": []}


def expire(*photos):
    return STEPS["expire_card_photos"].handler(sqs_event(photos), None)


def row(store, photo):
    return next(row for row in store.rows("photos") if row["pk"]["S"] == photo)


def test_a_photo_that_was_never_read_goes_within_fifteen_minutes(bucket, visitor, store, later):
    """CB-19: though its event was lost."""
    photo = started(visitor)
    put(bucket, photo, b"a photo")
    expire(photo)
    assert objects(bucket) == [photo]
    later(minutes=13)
    assert expire(photo) == DONE
    assert objects(bucket) == []
    assert row(store, photo)["state"]["S"] == "expired"
    assert not {"due_shard", "due_at"} & set(row(store, photo))


def test_what_was_read_is_erased_within_fifteen_minutes(bucket, visitor, store, later):
    """CB-19: not only no longer shown."""
    photo = started(visitor)
    put(bucket, photo, photo_world.number_alone("4242424242424242"))
    told(photo)
    assert "sealed_reading" in row(store, photo)
    later(minutes=13)
    expire(photo, photo)
    assert set(row(store, photo)) == {"pk", "sk", "owner", "state", "created_at", "expires_at"}
    assert shown(visitor, photo).body["state"] == "expired"


def test_a_message_too_many_is_harmless(bucket, visitor, store, later):
    """XX-04: twice, too early, or of no photo."""
    photo = started(visitor)
    before = row(store, photo)
    assert expire(photo, "pho_unknown") == DONE
    assert row(store, photo) == before
    later(minutes=16)
    assert expire(photo) == expire(photo) == DONE
