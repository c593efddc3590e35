"""What a photo shows beside what its owner confirms (CB-03): compared by fingerprints, so that nobody opens a reading for it."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from billfold import card_photos, vault
from billfold.card_photos import Photo, Reading
from billfold.triggers import fingerprints

if TYPE_CHECKING:
    # What reads photos has no need of what goes over the wire about cards.
    from billfold.cards.card_wire import BindCard


def comparable(photo: Photo, reading: Reading) -> Photo:
    """The photo with the fingerprints of what was read."""
    texts = card_photos.shown(reading)
    number = vault.fingerprint(texts.pop("number"), vault.generations()[0])
    return replace(photo, fingerprints={"number": number, **_of_texts(photo, texts)})


def typed(body: "BindCard", photo: Photo | None, numbers: Sequence[str]) -> list[str]:
    """Which fields are not as the photo shows them; `numbers` are the fingerprints of the number that was submitted."""
    if photo is None:
        return list(card_photos.FIELDS)
    texts = {"expiry": card_photos.month(body.expiry.year, body.expiry.month), "holder": body.holder}
    confirmed = {name: [one] for name, one in _of_texts(photo, texts).items()}
    return card_photos.typed(photo, {"number": numbers, **confirmed})


def _of_texts(photo: Photo, texts: dict[str, str]) -> dict[str, str]:
    return {name: fingerprints.of_field(photo.photo_id, name, text) for name, text in texts.items()}
