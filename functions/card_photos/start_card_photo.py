"""Start a photo of a card: a form by which the phone uploads it, and the name by which its reading is asked for.

Trigger   POST /v1/card-photos               (user)
Reads     user, operation, limit
Writes    photo, operation, limit            (one transaction)
Answers   201 the photo with the upload's form; 403 unknown or suspended user; 429 too many photos within an hour
Again     the same Idempotency-Key gets the first answer; the form uploads to this photo alone, for ten minutes
May       people BatchGetItem; cards BatchGetItem PutItem; photos PutItem; operations BatchGetItem PutItem; bucket photos PutObject
"""

from typing import Annotated, Literal

from billfold import card_photos, people
from billfold.card_photos import Photo, card_photo_rows
from billfold.cards.card_errors import TooManyPhotos
from billfold.clock import to_text
from billfold.people import people_rows
from billfold.readers import MAX_BYTES
from billfold.tables import limit_rows, operation_rows
from billfold.tables.commits import Commit
from billfold.tables.rows import fetch
from billfold.triggers import http, upload, wire


class StartCardPhoto(wire.Body, frozen=True):
    content_type: Literal["image/jpeg", "image/png"]


class UploadForm(wire.View, frozen=True):
    """POST the fields and then the picture, as `file`, to the address as multipart/form-data."""

    url: str
    method: str
    fields: dict[str, str]
    max_bytes: int
    expires_at: str


class StartedCardPhoto(wire.View, frozen=True):
    id: str
    state: Annotated[str, wire.one_of(card_photos.STATES)]
    expires_at: str
    upload: UploadForm


@http.step(body=StartCardPhoto, answers=StartedCardPhoto, key=True)
def handler(request: http.Request[StartCardPhoto]) -> http.Answer:
    operation = request.operation("opr")
    user, done, tries = fetch(
        people_rows.user(request.caller),
        operation_rows.operation(operation),
        limit_rows.tries({"photos": [request.caller]}),
    )
    if done:
        return request.repeat(done)

    user = people.check_active(user)
    if wait_seconds := tries.wait_seconds(request.now):
        raise TooManyPhotos(retry_after_seconds=wait_seconds)
    photo = Photo(request.new_id("pho"), user.user_id, "awaiting_upload", request.now)
    answer = wire.to_builtins(_started(photo, request.body.content_type))

    with Commit(operation) as commit:
        card_photo_rows.add_started(commit, photo)
        limit_rows.count_try(commit, tries, request.now)
        operation_rows.record(commit, operation, request.fingerprint, 201, answer, request.now)

    return http.Answer(201, answer)


def _started(photo: Photo, content_type: str) -> StartedCardPhoto:
    form = upload.form("photos", photo.photo_id, content_type, max_bytes=MAX_BYTES, until=photo.upload_by)
    shown = UploadForm(form.url, "POST", form.fields, MAX_BYTES, to_text(photo.upload_by))
    return StartedCardPhoto(photo.photo_id, photo.state, to_text(photo.expires_at), shown)
