"""Read the photo of a card that was uploaded, and delete it.

Trigger   upload photos
Reads     photo, object
Writes    photo, object: what was read, sealed, and each field's fingerprint; then the object is deleted, whatever was in it
Answers   read | unreadable | not awaited (too late, a second upload, no photo of this name) | gone
Again     a photo is read once; an object that comes again is deleted unread
May       photos BatchGetItem UpdateItem; bucket photos ListBucket GetObject DeleteObject; kms GenerateDataKey:photo GenerateMac;
          reader
Runs      3008 MiB, 25 s (twice the 12 s after which a reading ends as out of time)
Layers    reading
"""

from billfold import card_photos, clock, readers, vault
from billfold.card_photos import Reading, Unreadable, card_photo_rows, confirmations
from billfold.errors import Unavailable
from billfold.readers import MAX_BYTES, NoImage, OutOfTime, TooLarge
from billfold.tables.commits import Commit
from billfold.tables.rows import fetch
from billfold.triggers import upload


@upload.step(seals=True)
def handler(photo_id: str) -> str:
    photo = fetch(card_photo_rows.photo(photo_id))
    if photo is None or not card_photos.awaits(photo, clock.now()):
        upload.delete("photos", photo_id)
        return "not awaited"
    image = upload.fetch("photos", photo_id, max_bytes=MAX_BYTES)
    if image is None:
        return "gone"

    fault, found = _look(image)
    judged, sealed = card_photos.judged(photo, found), None
    if isinstance(found, Reading):
        judged = confirmations.comparable(judged, found)
        sealed = vault.seal(photo_id, card_photo_rows.encode(found))

    with Commit(f"{photo_id}/read") as commit:
        card_photo_rows.add_reading(commit, judged, sealed)
    upload.delete("photos", photo_id)

    if fault:
        raise fault
    return judged.state


def _look(image: bytes) -> tuple[Exception | None, Reading | Unreadable]:
    """What the picture says. A fault of ours is told to the owner as unreadable, and raised once the picture is gone."""
    try:
        return None, card_photos.read(readers.of_this_stage().looks(image))
    except TooLarge:
        return None, Unreadable("too_large")
    except NoImage:
        return None, Unreadable("no_image")
    except OutOfTime:
        return None, Unreadable("out_of_time")
    except Unavailable:
        raise
    except Exception as fault:
        return fault, Unreadable("fault")
