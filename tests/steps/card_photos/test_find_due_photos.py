"""Finding the photos whose quarter of an hour is over, every minute."""

from tests.cloud import delivery
from tests.world import STEPS
from tests.world.photo_world import objects, put, shown, started, told


def test_what_is_due_is_queued_and_found_no_more_once_it_is_expired(queues, bucket, visitor, later):
    """CB-19, XX-04: by the sparse index of deadlines."""
    photos = [started(visitor) for _ in range(12)]
    put(bucket, photos[3], b"never read")
    assert STEPS["find_due_photos"].handler({}, None) == {"found": 0}
    later(minutes=13, seconds=1)
    started(visitor)
    # One of them twice: its picture lies unread as well.
    assert STEPS["find_due_photos"].handler({}, None) == {"found": 13}
    assert delivery.drain(queues) == 13
    assert objects(bucket) == []
    assert STEPS["find_due_photos"].handler({}, None) == {"found": 0}


def test_a_picture_that_nobody_read_makes_its_photo_unreadable_within_two_minutes(queues, bucket, visitor, later):
    """CB-02, CB-19: its event was lost, or the function that read it died; the phone need not poll for 13 minutes."""
    photo, other = started(visitor), started(visitor)
    put(bucket, photo, b"a picture")
    put(bucket, "of no photo", b"another")
    assert STEPS["find_due_photos"].handler({}, None) == {"found": 0}
    later(seconds=31)
    put(bucket, other, b"just uploaded")
    assert STEPS["find_due_photos"].handler({}, None) == {"found": 2}
    assert delivery.drain(queues) == 2
    body = shown(visitor, photo).body
    assert (body["state"], body["reason"]) == ("unreadable", "fault")
    assert objects(bucket) == [other]
    assert shown(visitor, other).body["state"] == "awaiting_upload"
    assert told(photo) == {"outcome": "not awaited"}
    assert STEPS["find_due_photos"].handler({}, None) == {"found": 0}


def test_every_picture_is_found_however_many_nobody_read(bucket, queues, store, later, monkeypatch):
    """XX-04: page by page."""
    monkeypatch.setenv("MOTO_S3_DEFAULT_MAX_KEYS", "3")
    for number in range(8):
        put(bucket, f"left-{number}", b"a picture")
    later(minutes=1)
    assert STEPS["find_due_photos"].handler({}, None) == {"found": 8}
    assert delivery.drain(queues) == 8
    assert objects(bucket) == []
