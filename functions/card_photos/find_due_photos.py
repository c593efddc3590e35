"""Find the photos of cards whose time is over, and queue them.

Trigger   every minute
Reads     index of deadlines
Writes    nothing
Answers   how many it queued for expire_card_photos
Again     a photo is queued again until it is expired, which it is once
May       photos Query:due; queue due-photos
"""

from billfold.tables.photo_rows import PhotoRow
from billfold.tables.rows import DUE_SHARDS, due
from billfold.triggers import queue, schedule


@schedule.step
def handler(now: int) -> int:
    shards = range(DUE_SHARDS)
    return queue.send("due-photos", (photo for shard in shards for photo in due(PhotoRow, "photos", shard, now)))
