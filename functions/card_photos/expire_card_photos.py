"""End a photo of a card: unreadable when its picture lay unread, expired when its time is over; then the picture goes.

Trigger   queue due-photos
Reads     photo, object
Writes    photo; then the object is deleted
Answers   expired | unreadable | deleted (a picture that nobody waits for) | nothing due
Again     a photo ends once; the object is deleted again, which is nothing
May       photos BatchGetItem UpdateItem; bucket photos ListBucket DeleteObject
"""

from billfold import card_photos, clock
from billfold.card_photos import READ_WITHIN, card_photo_rows
from billfold.tables.commits import Commit
from billfold.tables.rows import fetch
from billfold.triggers import queue, upload


@queue.step
def handler(photo_id: str) -> str:
    now = clock.now()
    photo = fetch(card_photo_rows.photo(photo_id))
    unread = photo_id in upload.lying("photos", before=now - READ_WITHIN, only=photo_id)

    ended = card_photos.ended(photo, now, unread=unread) if photo else None
    if ended is None and not unread:
        return "nothing due"

    if ended:
        with Commit(f"{photo_id}/{ended.state}") as commit:
            if ended.state == "expired":
                card_photo_rows.add_expiry(commit, photo_id, now)
            else:
                card_photo_rows.add_reading(commit, ended, None)
    upload.delete("photos", photo_id)

    return ended.state if ended else "deleted"
