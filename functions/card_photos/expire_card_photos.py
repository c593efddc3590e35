"""Delete a photo of a card that was never read, and erase what was read from one, when their time is over.

Trigger   queue due-photos
Reads     photo
Writes    photo; the object is deleted first
Answers   expired | nothing due
Again     the object is deleted again, which is nothing; a photo expires once
May       photos BatchGetItem UpdateItem; bucket photos DeleteObject
"""

from billfold import clock
from billfold.tables import photo_rows
from billfold.tables.rows import Commit
from billfold.triggers import queue, upload


@queue.step
def handler(photo_id: str) -> str:
    now = clock.now()
    loaded = photo_rows.load(photo_id)

    if loaded is None or loaded[0].state == "expired" or loaded[0].at(now).state != "expired":
        return "nothing due"

    upload.delete("photos", photo_id)
    commit = Commit(f"{photo_id}/expire")
    photo_rows.put_expired(commit, photo_id, now)
    commit.send()

    return "expired"
