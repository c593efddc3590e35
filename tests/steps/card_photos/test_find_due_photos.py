"""Finding the photos whose quarter of an hour is over, every minute."""

from tests import delivery
from tests.cards.photo_world import objects, put, started
from tests.world import STEPS


def test_what_is_due_is_queued_and_found_no_more_once_it_is_expired(queues, bucket, visitor, later):
    """CB-19, XX-04: by the sparse index of deadlines."""
    photos = [started(visitor) for _ in range(12)]
    put(bucket, photos[3], b"never read")
    assert STEPS["find_due_photos"].handler({}, None) == {"found": 0}
    later(minutes=13, seconds=1)
    started(visitor)
    assert STEPS["find_due_photos"].handler({}, None) == {"found": 12}
    assert delivery.drain(queues) == 12
    assert objects(bucket) == []
    assert STEPS["find_due_photos"].handler({}, None) == {"found": 0}
