"""Find the photos of cards whose time is over, and the pictures that nobody has read, and queue them.

Trigger   every minute
Reads     index of deadlines, objects
Writes    nothing
Answers   how many it queued for expire_card_photos
Again     a photo is queued again until it has ended and its picture is gone
May       photos Query:due; bucket photos ListBucket; queue due-photos
Runs      50 s, at most 1 (each minute's look ends before the next begins)
"""

from itertools import chain

from billfold.card_photos import READ_WITHIN
from billfold.card_photos.card_photo_rows import PhotoRow
from billfold.tables.rows import due
from billfold.triggers import schedule, upload

handler = schedule.sweep(
    __name__,
    "due-photos",
    lambda now: chain(due(PhotoRow, "photos", now), upload.lying("photos", before=now - READ_WITHIN)),
)
