"""Show what was read from a photo of a card to its owner, for a quarter of an hour at most.

Trigger   GET /v1/card-photos/{photo}        (user)
Reads     photo
Writes    nothing
Answers   200 the photo: awaiting_upload | read, with its fields | unreadable, with why | expired; 404 not the caller's
Again     reading changes nothing
May       photos BatchGetItem; kms Decrypt:photo
"""

from typing import Annotated, Any

from billfold import card_photos, vault
from billfold.card_photos import Photo, Reading, card_photo_rows
from billfold.clock import to_text
from billfold.tables.rows import fetch
from billfold.triggers import http, wire

UNREADABLE = "We could not read the card. Hold it flat in good light, or type the number."
OTHERWISE = {
    "number_invalid": "What we read is not a valid card number. Please type the number.",
    "too_large": "This picture is too large. Send one of at most 13 megapixels and 8 MiB, or type the number.",
    "out_of_time": "There is too much to read in this picture. Photograph the card alone, or type the number.",
}


class ReadField(wire.View, frozen=True):
    """A value as read, and how sure it is, 0 to 1: the user confirms or corrects it."""

    value: str
    confidence: float


class ReadExpiry(wire.View, frozen=True):
    year: int
    month: int
    confidence: float


class CardPhotoAnswer(wire.View, frozen=True):
    """`reason` is no_card, two_cards, number_unreadable, number_invalid, no_image, too_large, out_of_time or fault; `text` is what
    to tell the user.
    """

    id: str
    state: Annotated[str, wire.one_of(card_photos.STATES)]
    expires_at: str
    number: ReadField | None = None
    brand: ReadField | None = None
    expiry: ReadExpiry | None = None
    holder: ReadField | None = None
    reason: str | None = None
    text: str | None = None


@http.step(answers=CardPhotoAnswer)
def handler(request: http.Request[Any]) -> http.Answer:
    photo_id = request.parameters["photo"]
    found, sealed = fetch(card_photo_rows.photo(photo_id), card_photo_rows.reading(photo_id))
    photo = card_photos.check_own(found, request.caller).at(request.now)

    reading = None
    if sealed and photo.state == "read":
        reading = card_photo_rows.decode(vault.open_sealed(photo_id, sealed))

    return http.Answer(200, _shown(photo, reading))


def _shown(photo: Photo, reading: Reading | None) -> CardPhotoAnswer:
    expires_at = to_text(photo.expires_at)
    if reading is None:
        text = OTHERWISE.get(photo.reason, UNREADABLE) if photo.state == "unreadable" else None
        return CardPhotoAnswer(photo.photo_id, photo.state, expires_at, reason=photo.reason or None, text=text)
    return CardPhotoAnswer(
        photo.photo_id,
        photo.state,
        expires_at,
        number=_field(reading.number),
        brand=_field(reading.brand),
        expiry=_expiry(reading.expiry) if reading.expiry else None,
        holder=_field(reading.holder) if reading.holder else None,
    )


def _field(read: card_photos.Field) -> ReadField:
    return ReadField(read.value, round(read.confidence, 3))


def _expiry(read: card_photos.Expiry) -> ReadExpiry:
    return ReadExpiry(read.year, read.month, round(read.confidence, 3))
