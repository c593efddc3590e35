"""What a photo of a payment card says: from lines of recognised text to a reading, or why there is none (CB-02). Pure.

    looks ──> rows of lines ──> number ──> expiry, holder
                                      └──> Unreadable: no_card | two_cards | number_unreadable | number_invalid

    awaiting_upload ──> read | unreadable ──> expired, 13 minutes after it was started, whatever happened

A number counts only when it is whole (billfold.card_photos.printed_numbers), its brand, length and check digit agree, and it
is sure: each digit of one look, or two looks that agree. What can still be wrong the owner sees, who confirms every field (CB-03).
"""

import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from billfold.card_photos.printed_lines import Line, Row, rows
from billfold.card_photos.printed_numbers import EXPIRY, PrintedNumber, longest_run, printed_numbers
from billfold.clock import MINUTE, SECOND
from billfold.errors import NotFound

STATES = ("awaiting_upload", "read", "unreadable", "expired")
# What an owner confirms of a card (CB-03).
FIELDS = ("number", "expiry", "holder")
Reason = Literal[
    "no_card", "two_cards", "number_unreadable", "number_invalid", "no_image", "too_large", "out_of_time", "fault"
]
# How sure the least sure digit must be for one look to be enough, and for a number that fails its check digit to be one.
SURE = 0.85
CERTAIN = 0.95
# A photo and what was read from it go within 15 minutes (CB-19): the sweep comes once a minute, and its queue may take as long
# again. Of these 13, ten may pass before the photo is uploaded.
KEPT = 13 * MINUTE
UPLOAD_WITHIN = 10 * MINUTE
# By then the function that reads has long answered or timed out.
READ_WITHIN = 30 * SECOND
_LAST_DAY = re.compile(r"THRU|UNTIL|EXP|END|TILL")
_WORD = r"[^\W\d_a-z][^\W\d_]*(?:['’`´.-][^\W\d_]*)*"
_PARTICLE = r"(?:al|bin|da|de|del|della|den|der|di|do|dos|du|el|la|las|le|los|ten|ter|van|von|y|zu)"
_NAME = re.compile(rf"{_WORD}(?: (?:{_WORD}|{_PARTICLE})){{0,4}}")
# Words that are printed on cards and on slips, and are nobody's name.
_PRINTED = re.compile(
    r"ACCOUNT|AGAIN|AMERICAN|AUTHORIZED|BANK|BANKING|BUSINESS|CARDHOLDER|CASHBACK|COMPANY|CONTACTLESS|COPY|CORPORATE|"
    r"CREDIT|CUSTOMER|CVC|CVV|DEBIT|DINERS|DISCOVER|EDITION|ELECTRON|ELECTRONIC|EXP|EXPIRES|EXPIRY|EXPRESS|FEDERAL|"
    r"FROM|INFINITE|INTERNATIONAL|JCB|MAESTRO|MASTERCARD|MEMBER|NATIONAL|NOT|NUMBER|ONLY|PLATINUM|PREPAID|RECEIPT|"
    r"REWARDS|SAMPLE|SAVINGS|SIGNATURE|SINCE|SPECIMEN|TERMINAL|THANK|THRU|TITANIUM|TOTAL|UNIONPAY|UNTIL|USE|VALID|"
    r"VISA|YOU"
)
# Words that are printed on cards, and are also parts of names: of these alone no name is made.
_ALSO_NAMES = re.compile(
    r"BLACK|BLUE|CARD|CLASSIC|CLUB|CREDITO|DATE|ELITE|END|GOLD|GOOD|GREEN|MONTH|NAME|PREMIUM|SILVER|STANDARD|WHITE|"
    r"WORLD|YEAR"
)


@dataclass(frozen=True, slots=True)
class Field:
    """A value as read, and how sure it is, 0 to 1."""

    value: str
    confidence: float


@dataclass(frozen=True, slots=True)
class Expiry:
    """The last month in which a card is valid, 1 to 12, and how sure it is, 0 to 1."""

    year: int
    month: int
    confidence: float


@dataclass(frozen=True, slots=True)
class Reading:
    """What a card's photo says; None: not found."""

    number: Field
    brand: Field
    expiry: Expiry | None = None
    holder: Field | None = None


@dataclass(frozen=True, slots=True)
class Unreadable:
    """No reading. `number_invalid`: it was read surely, but no card has it; from `no_image` on not even text was looked for."""

    reason: Reason


@dataclass(frozen=True, slots=True)
class Photo:
    """One photo that a user uploads to have a card read; `reason` when it is unreadable.

    `fingerprints`: what each field that was read is compared by, once its owner confirmed or corrected it (CB-03).
    """

    photo_id: str
    owner: str
    state: str
    created_at: int
    reason: str = ""
    fingerprints: Mapping[str, str] = field(default_factory=dict)

    @property
    def upload_by(self) -> int:
        return self.created_at + UPLOAD_WITHIN

    @property
    def expires_at(self) -> int:
        return self.created_at + KEPT

    def at(self, now: int) -> "Photo":
        """The photo as it counts at an instant, whether or not the sweep has been there."""
        return replace(self, state="expired", reason="", fingerprints={}) if now >= self.expires_at else self


def check_own(photo: Photo | None, owner: str) -> Photo:
    """The photo, when it is this owner's; anyone else's does not exist (XX-05)."""
    if photo is None or photo.owner != owner:
        raise NotFound()
    return photo


def awaits(photo: Photo | None, now: int) -> bool:
    """Whether an upload to this photo is to be read: it is the first, and in time."""
    return photo is not None and photo.at(now).state == "awaiting_upload"


def ended(photo: Photo, now: int, *, unread: bool) -> Photo | None:
    """The photo as it ends now: expired when its time is over, unreadable when its picture lay `unread` too long; None: it goes on.

    A picture lies unread when its event was lost, or when the function that read it died.
    """
    if photo.state != "expired" and photo.at(now).state == "expired":
        return photo.at(now)
    if unread and photo.state == "awaiting_upload":
        return judged(photo, Unreadable("fault"))
    return None


def judged(photo: Photo, found: Reading | Unreadable) -> Photo:
    """The photo after its upload was looked at."""
    if isinstance(found, Reading):
        return replace(photo, state="read")
    return replace(photo, state="unreadable", reason=found.reason)


def month(year: int, month: int) -> str:
    """An expiry as it is compared."""
    return f"{year}-{month:02d}"


def shown(reading: Reading) -> dict[str, str]:
    """What a reading shows of each field that its owner confirms; a name as calls spell it, in normal form C."""
    fields = {"number": reading.number.value}
    if reading.expiry:
        fields["expiry"] = month(reading.expiry.year, reading.expiry.month)
    if reading.holder:
        fields["holder"] = unicodedata.normalize("NFC", reading.holder.value)
    return fields


def typed(photo: Photo | None, confirmed: Mapping[str, Collection[str]]) -> list[str]:
    """The fields that are not as a photo shows them (CB-03), by any of a field's fingerprints; without a reading all of them."""
    read = photo.fingerprints if photo else {}
    return [name for name in FIELDS if read.get(name) not in confirmed[name]]


def read(looks: Iterable[list[Line]]) -> Reading | Unreadable:
    """The one card that a photo shows, looked at in several ways: no further than it takes to be sure.

    A sure number counts when no look before saw another one; an unsure one when two looks saw it. A sure number whose
    check digit fails ends the search as well: looking again would at best find another one.
    """
    seen: dict[str, Reading] = {}
    reason: Reason = "no_card"
    for lines in looks:
        found, sure = _look(rows(lines))
        if isinstance(found, Unreadable):
            if sure:
                return found
            reason = reason if found.reason == "no_card" else "number_unreadable"
            continue
        if found.number.value in seen or (sure and not seen):
            return found
        seen[found.number.value] = found
        reason = "number_unreadable"
    return Unreadable(reason)


def _look(printed: list[Row]) -> tuple[Reading | Unreadable, bool]:
    """What these rows say, and whether they say it surely enough to look no further."""
    numbers = printed_numbers(printed)
    agreeing = [number for number in numbers if number.brand]
    if len({number.digits for number in agreeing}) > 1:
        return Unreadable("two_cards"), all(number.confidence >= SURE for number in agreeing)
    if not agreeing:
        if any(number.confidence >= CERTAIN for number in numbers):
            return Unreadable("number_invalid"), True
        return Unreadable("number_unreadable" if _looks_like_a_card(printed) else "no_card"), False
    best = max(agreeing, key=lambda number: number.confidence)
    return _reading(best, printed), best.confidence >= SURE


def _reading(number: PrintedNumber, printed: list[Row]) -> Reading:
    assert number.brand is not None
    value, brand = Field(number.digits, number.confidence), Field(number.brand, number.confidence)
    return Reading(value, brand, _expiry(printed), _holder(printed, number))


def _looks_like_a_card(printed: list[Row]) -> bool:
    """Whether some number was there, though it is not whole, or what else is printed on cards."""
    words = {word for row in printed for one in row for word in re.findall(r"[A-Z]+", one.line.text.upper())}
    return (
        longest_run(printed) >= 8
        or sum(bool(_PRINTED.fullmatch(word) or _ALSO_NAMES.fullmatch(word)) for word in words) >= 2
    )


def _expiry(printed: list[Row]) -> Expiry | None:
    """The date after THRU or the like, else the latest: a card may also say since when it is valid."""
    found: list[tuple[bool, int, int, float]] = []
    before = ""
    for row in printed:
        above, before = before, ""
        for line in (placed.line for placed in row):
            for match in EXPIRY.finditer(line.text):
                month, year = int(match[1].replace("O", "0")), int(match[2])
                told = _LAST_DAY.search(f"{above} {before} {line.text[: match.start()]}".upper())
                found.append((bool(told), year if year > 99 else 2000 + year, month, line.confidence))
            before += " " + line.text
    return Expiry(*max(found)[1:]) if found else None


def _holder(printed: list[Row], number: PrintedNumber) -> Field | None:
    """The one name below the number, in capitals before in small letters; None when there are several, or an unsure one."""
    found: dict[bool, list[Field]] = {True: [], False: []}
    for placed in (placed for row in printed for placed in row):
        text = _as_capitals(" ".join(placed.line.text.split()))
        at_the_edge = abs(placed.left - number.left) <= 2 * number.height
        if placed.y - number.y > 0.5 * number.height and _is_name(text, at_the_edge):
            found[text == text.upper()].append(Field(text, placed.line.confidence))
    likeliest = found[True] or found[False]
    return likeliest[0] if len(likeliest) == 1 and likeliest[0].confidence >= SURE else None


def _as_capitals(text: str) -> str:
    """A text whose other letters are capitals, all in capitals: networks mix up the two cases of letters such as Ø and ø."""
    plain = [character for character in text if character.isascii() and character.isalpha()]
    return text.upper() if plain and all(character.isupper() for character in plain) and "ß" not in text else text


def _is_name(text: str, at_the_edge: bool) -> bool:
    """Whether a text can be a person's name; a single word only in capitals at the number's edge."""
    words = [word.strip(".") for word in text.upper().split()]
    if not _NAME.fullmatch(text) or any(map(_PRINTED.fullmatch, words)) or all(map(_ALSO_NAMES.fullmatch, words)):
        return False
    return len(words) > 1 or (at_the_edge and len(text) > 1 and text == text.upper())
