"""Photos of cards that were or will be read: no picture (that is in the bucket until it is read), and no field in plain.

pk     sk     what
pho_…  photo  owner, state, what was read (sealed in the vault's way) and each field's fingerprint; due_shard and due_at until it
              is over; deleted by TTL
"""

import msgspec
from pynamodb.attributes import BinaryAttribute, UnicodeAttribute

from billfold.card_photos import Photo, Reading
from billfold.clock import HOUR, SECOND
from billfold.tables.commits import Commit
from billfold.tables.rows import Integer, Json, Row, Wanted, due_shard, single, table
from billfold.vault import Sealed

# After its end a row only says that it ended. The sweep needs it until then, so TTL leaves it an hour.
KEPT_AFTER = HOUR


class PhotoRow(Row):
    class Meta:
        table_name = table("photos")

    SORT = "photo"
    owner = UnicodeAttribute()
    state = UnicodeAttribute()
    reason = UnicodeAttribute(null=True)
    created_at = Integer()
    sealed_under = UnicodeAttribute(null=True)
    sealed_key = BinaryAttribute(null=True, legacy_encoding=False)
    sealed_reading = BinaryAttribute(null=True, legacy_encoding=False)
    fingerprints = Json(null=True)
    due_shard = UnicodeAttribute(null=True)
    due_at = Integer(null=True)
    expires_at = Integer()


def photo(photo_id: str) -> Wanted[Photo | None]:
    """A photo; None: there is none of this name."""
    return single(PhotoRow, photo_id, PhotoRow.SORT, _to_photo)


def reading(photo_id: str) -> Wanted[Sealed | None]:
    """What was read from a photo, sealed; None: nothing, or no more."""
    return single(PhotoRow, photo_id, PhotoRow.SORT, _to_sealed)


def _to_photo(row: PhotoRow) -> Photo:
    return Photo(row.pk, row.owner, row.state, row.created_at, row.reason or "", row.fingerprints or {})


def _to_sealed(row: PhotoRow) -> Sealed | None:
    return Sealed(row.sealed_under, row.sealed_key, row.sealed_reading) if row.sealed_reading else None


def add_started(commit: Commit, photo: Photo) -> None:
    """Add a new photo to a commit."""
    commit.put_new(
        PhotoRow(
            photo.photo_id,
            PhotoRow.SORT,
            owner=photo.owner,
            state=photo.state,
            created_at=photo.created_at,
            due_shard=due_shard("photos", photo.photo_id),
            due_at=photo.expires_at,
            expires_at=(photo.expires_at + KEPT_AFTER) // SECOND,
        )
    )


def add_reading(commit: Commit, photo: Photo, sealed: Sealed | None) -> None:
    """Add to a commit what became of an upload; nothing became of it before."""
    actions = [PhotoRow.state.set(photo.state)]
    if photo.reason:
        actions.append(PhotoRow.reason.set(photo.reason))
    if sealed:
        actions += [
            PhotoRow.sealed_under.set(sealed.generation),
            PhotoRow.sealed_key.set(sealed.data_key),
            PhotoRow.sealed_reading.set(sealed.ciphertext),
            PhotoRow.fingerprints.set(photo.fingerprints),
        ]
    commit.update(PhotoRow(photo.photo_id, PhotoRow.SORT), actions, PhotoRow.state == "awaiting_upload")


def add_expiry(commit: Commit, photo_id: str, now: int) -> None:
    """Add to a commit that a photo's time is over, and erase what was read."""
    sealed = (PhotoRow.sealed_under, PhotoRow.sealed_key, PhotoRow.sealed_reading)
    erased = (PhotoRow.reason, PhotoRow.fingerprints, *sealed)
    actions = [PhotoRow.state.set("expired"), PhotoRow.due_shard.remove(), PhotoRow.due_at.remove()]
    actions += [attribute.remove() for attribute in erased]
    commit.update(PhotoRow(photo_id, PhotoRow.SORT), actions, PhotoRow.due_at <= now)


def encode(reading: Reading) -> bytes:
    """A reading as it is sealed."""
    return msgspec.json.encode(reading)


def decode(text: bytes) -> Reading:
    """A reading that was sealed."""
    return msgspec.json.decode(text, type=Reading)
