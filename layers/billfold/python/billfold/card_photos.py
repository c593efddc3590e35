"""What a photo of a payment card says: from lines of recognised text to a reading, or why there is none (CB-02). Pure.

    lines ──> rows (one a line of print, the photo's tilt taken out) ──> number ──> expiry, holder
                                                                          └──> Unreadable: no_card | two_cards | number_unreadable

    awaiting_upload ──> read | unreadable ──> expired, 13 minutes after it was started, whatever happened

A number counts only when its brand, length and check digit agree. Letters that a reader takes for digits (O for 0) are
corrected only when that makes them agree. One in ten misread numbers agrees by chance, so the owner confirms it (CB-03).
"""

import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from statistics import median

from billfold import card_numbers
from billfold.clock import MINUTE
from billfold.errors import NotFound

Corner = tuple[float, float]

LOOKS_LIKE = {"O": "0", "o": "0", "Q": "0", "D": "0", "I": "1", "l": "1", "|": "1", "i": "1", "Z": "2", "z": "2"} | {
    "S": "5", "s": "5", "b": "6", "G": "6", "B": "8", "g": "9", "q": "9"
}  # fmt: skip
LENGTHS = range(12, 20)
MAX_CORRECTIONS = 4
# What each corrected letter costs the number's confidence.
CORRECTION_FACTOR = 0.9
MAX_PIECES = 8
# A photo and what was read from it go within 15 minutes (CB-19): the sweep comes once a minute, and its queue may take as long
# again. Of these 13, ten may pass before the photo is uploaded.
KEPT = 13 * MINUTE
UPLOAD_WITHIN = 10 * MINUTE
_DIGITLIKE = re.compile(r"[0-9" + re.escape("".join(LOOKS_LIKE)) + "]+")
_EXPIRY = re.compile(r"(?<![0-9])([0O][1-9]|1[0-2])\s?[/\\|\-.]\s?(20\d\d|\d\d)(?![0-9])")
_LAST_DAY = re.compile(r"THRU|UNTIL|EXP|END|TILL")
_NAME = re.compile(r"[^\W\d_a-z][^\W\d_]*(?:['’.-][^\W\d_]*)*(?: [^\W\d_a-z][^\W\d_]*(?:['’.-][^\W\d_]*)*){1,4}")
# Words that are printed on cards and are nobody's name.
_PRINTED = re.compile(
    r"ACCOUNT|AMERICAN|AUTHORIZED|BANK|BANKING|BLACK|BUSINESS|CARD|CARDHOLDER|CLASSIC|CLUB|COMPANY|CONTACTLESS|"
    r"CREDIT|DATE|DEBIT|DINERS|DISCOVER|ELECTRON|ELECTRONIC|ELITE|END|EXP|EXPIRES|EXPIRY|EXPRESS|FROM|GOLD|"
    r"GOOD|INFINITE|INTERNATIONAL|JCB|MAESTRO|MASTERCARD|MEMBER|MONTH|NAME|NATIONAL|NOT|NUMBER|ONLY|PLATINUM|"
    r"PREMIUM|PREPAID|REWARDS|SAMPLE|SAVINGS|SIGNATURE|SINCE|STANDARD|THRU|TITANIUM|UNIONPAY|UNTIL|USE|VALID|"
    r"VISA|WORLD|YEAR"
)


@dataclass(frozen=True, slots=True)
class Line:
    """A piece of recognised text, how sure its reader is (0 to 1), and its corners, clockwise from the text's top left."""

    text: str
    confidence: float
    box: tuple[Corner, Corner, Corner, Corner]


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
    """No reading. `reason`: no_card, two_cards, number_unreadable; or no_image, fault: not even text could be looked for."""

    reason: str


@dataclass(frozen=True, slots=True)
class Photo:
    """One photo that a user uploads to have a card read; `reason` when it is unreadable."""

    photo_id: str
    owner: str
    state: str
    created_at: int
    reason: str = ""

    @property
    def upload_by(self) -> int:
        return self.created_at + UPLOAD_WITHIN

    @property
    def expires_at(self) -> int:
        return self.created_at + KEPT

    def at(self, now: int) -> "Photo":
        """The photo as it counts at an instant, whether or not the sweep has been there."""
        return replace(self, state="expired", reason="") if now >= self.expires_at else self


def check_own(photo: Photo | None, owner: str) -> Photo:
    """The photo, when it is this owner's; anyone else's does not exist (XX-05)."""
    if photo is None or photo.owner != owner:
        raise NotFound()
    return photo


def awaits(photo: Photo | None, now: int) -> bool:
    """Whether an upload to this photo is to be read: it is the first, and in time."""
    return photo is not None and photo.at(now).state == "awaiting_upload"


def judged(photo: Photo, found: Reading | Unreadable) -> Photo:
    """The photo after its upload was looked at."""
    if isinstance(found, Reading):
        return replace(photo, state="read")
    return replace(photo, state="unreadable", reason=found.reason)


@dataclass(frozen=True, slots=True)
class _Piece:
    """A word of a row; `row` counts from the top."""

    text: str
    confidence: float
    row: int


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A number that agrees with itself, made of the pieces from `start` up to `end`."""

    number: str
    brand: str
    confidence: float
    corrections: int
    start: int
    end: int
    row: int


def interpret(lines: Iterable[Line]) -> Reading | Unreadable:
    """The one card that these lines show."""
    rows = _rows([line for line in lines if line.text.strip()])
    pieces = list(_pieces(rows))
    within = _apart(_candidates(pieces, across=False)) or _apart(_candidates(pieces, across=True))
    numbers = {candidate.number for candidate in within}
    if len(numbers) > 1:
        return Unreadable("two_cards")
    if not numbers:
        return Unreadable("number_unreadable" if _looks_like_a_card(pieces) else "no_card")
    best = max(within, key=lambda candidate: candidate.confidence)
    return Reading(
        Field(best.number, best.confidence),
        Field(best.brand, best.confidence),
        _expiry(rows),
        _holder(rows, best.row),
    )


def settled(lines: Iterable[Line]) -> bool:
    """Whether looking at the photo again, otherwise, would change nothing: a number was found, or two."""
    found = interpret(lines)
    return isinstance(found, Reading) or found.reason == "two_cards"


def _rows(lines: list[Line]) -> list[list[Line]]:
    """The lines as rows of print from the top, each from the left, whatever the tilt of the photo."""
    if not lines:
        return []
    tilt = median(_angle(line) for line in sorted(lines, key=_width)[-5:])
    placed = sorted((*_turned(_middle(line), -tilt)[::-1], _height(line), index) for index, line in enumerate(lines))
    rows: list[list[tuple[float, int]]] = []
    last_y, last_height = -math.inf, 0.0
    for y, x, height, index in placed:
        if not rows or y - last_y > 0.5 * min(height, last_height):
            rows.append([])
            last_y, last_height = y, height
        rows[-1].append((x, index))
    return [[lines[index] for _, index in sorted(row)] for row in rows]


def _angle(line: Line) -> float:
    (x0, y0), (x1, y1) = line.box[0], line.box[1]
    return math.atan2(y1 - y0, x1 - x0)


def _width(line: Line) -> float:
    return math.dist(line.box[0], line.box[1])


def _height(line: Line) -> float:
    return math.dist(line.box[0], line.box[3])


def _middle(line: Line) -> Corner:
    return sum(x for x, _ in line.box) / 4, sum(y for _, y in line.box) / 4


def _turned(point: Corner, angle: float) -> Corner:
    x, y = point
    return x * math.cos(angle) - y * math.sin(angle), x * math.sin(angle) + y * math.cos(angle)


def _pieces(rows: list[list[Line]]) -> Iterator[_Piece]:
    for number, row in enumerate(rows):
        for line in row:
            for text in re.findall(r"[0-9A-Za-z|]+", line.text):
                yield _Piece(text, line.confidence, number)


def _candidates(pieces: list[_Piece], *, across: bool) -> Iterator[_Candidate]:
    """Every run of neighbouring pieces that is a card's number; across rows only whole groups of digits are put together."""
    for start in range(len(pieces)):
        taken: list[_Piece] = []
        for piece in pieces[start : start + MAX_PIECES]:
            if not _DIGITLIKE.fullmatch(piece.text) or (piece.row != pieces[start].row and not across):
                break
            taken.append(piece)
            if sum(len(one.text) for one in taken) > LENGTHS[-1] or (across and len(piece.text) < 4):
                break
            if found := _candidate(taken, start):
                yield found


def _candidate(taken: list[_Piece], start: int) -> _Candidate | None:
    text = "".join(piece.text for piece in taken)
    if len(text) not in LENGTHS:
        return None
    number = "".join(LOOKS_LIKE.get(character, character) for character in text)
    corrections = sum(a != b for a, b in zip(text, number, strict=True))
    brand = card_numbers.brand(number)
    if corrections > MAX_CORRECTIONS or brand is None or not card_numbers.luhn(number):
        return None
    confidence = min(piece.confidence for piece in taken) * CORRECTION_FACTOR**corrections
    return _Candidate(number, brand, confidence, corrections, start, start + len(taken), taken[0].row)


def _apart(candidates: Iterable[_Candidate]) -> list[_Candidate]:
    """Of candidates that share a piece only the likeliest: fewest corrections, then the usual lengths, then the surest."""
    chosen: list[_Candidate] = []
    for one in sorted(candidates, key=lambda c: (c.corrections, len(c.number) not in (15, 16), -c.confidence)):
        if all(one.end <= other.start or other.end <= one.start for other in chosen):
            chosen.append(one)
    return chosen


def _looks_like_a_card(pieces: list[_Piece]) -> bool:
    """Whether some number was there, though it does not agree with itself, or what else is printed on cards."""
    digits = [sum(map(str.isdigit, piece.text)) for piece in pieces]
    groups = [
        count if count * 2 > len(piece.text) and count >= 3 else 0 for piece, count in zip(pieces, digits, strict=True)
    ]
    longest = max((sum(groups[at : at + 4]) for at in range(len(groups))), default=0)
    words = {piece.text.upper() for piece in pieces}
    return longest >= 8 or sum(bool(_PRINTED.fullmatch(word)) for word in words) >= 2


def _expiry(rows: list[list[Line]]) -> Expiry | None:
    """The date after THRU or the like, else the latest: a card may also say since when it is valid."""
    found: list[tuple[bool, int, int, float]] = []
    before = ""
    for row in rows:
        above, before = before, ""
        for line in row:
            for match in _EXPIRY.finditer(line.text):
                month, year = int(match[1].replace("O", "0")), int(match[2])
                told = _LAST_DAY.search(f"{above} {before} {line.text[: match.start()]}".upper())
                found.append((bool(told), year if year > 99 else 2000 + year, month, line.confidence))
            before += " " + line.text
    return Expiry(*max(found)[1:]) if found else None


def _holder(rows: list[list[Line]], number_row: int) -> Field | None:
    """The likeliest name: words in capitals that cards do not print themselves, below the number before above it."""
    found: list[tuple[bool, bool, int, Field]] = []
    for at, row in enumerate(rows):
        for line in row:
            text = " ".join(line.text.split())
            words = {word.strip(".").upper() for word in text.split()}
            if _NAME.fullmatch(text) and not any(_PRINTED.fullmatch(word) for word in words):
                found.append((at > number_row, text == text.upper(), at, Field(text, line.confidence)))
    return max(found, key=lambda one: one[:3])[3] if found else None
