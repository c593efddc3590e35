"""Comparisons of a bank's day with its own list, a piece at a time. Pure rules; what a difference is stands in `charges`.

    listing ──► comparing ──► reported
       │            part after part: the bank's lines of it, and ours
       page after page of the bank's list, each line kept in its part

A day whose lists are short is listed, compared and reported in one piece. Each piece is done once: it begins where the one
before it ended, and nobody can end it twice. A million lines are 500 pieces of 2,000 and 64 parts of 16,000.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from billfold.banks import Listed
from billfold.charges import DAY, Day, Difference, Line
from billfold.clock import SECOND

# A multiple of the index's shards, so that each part of ours is in one of them.
PARTS = 64
# What a piece lists in the bank's pages: less than half of its function's time, and rows that fit into one transaction (64 parts
# and 2,100 lines at 100 a row are 85 rows of 100; a line has 700 bytes at most, so they are 1.5 MB of 4).
MOST_LINES = 2_000
LISTS_FOR = 8 * SECOND
# A report names so many differences, and counts them all.
MAX_NAMED = 200
# As long as a message that nobody could handle may come again, and longer.
KEPT = 35 * DAY


@dataclass(frozen=True, slots=True)
class Comparison:
    """How far one comparison has come: after so many pieces, listing from a cursor on, or comparing this part next."""

    bank: str
    day: Day
    begun_at: int
    pieces: int = 0
    cursor: str = ""
    part: int | None = None
    compared: int = 0
    settling: bool = False
    found: int = 0
    named: tuple[Difference, ...] = ()

    @property
    def name(self) -> str:
        return f"{self.bank}/{self.day.name}/{self.begun_at}"

    @property
    def message(self) -> str:
        """What has the next piece done."""
        return f"{self.name} {self.pieces}"

    @property
    def state(self) -> str:
        return "listing" if self.part is None else "comparing" if self.part < PARTS else "reported"

    @property
    def listed_until(self) -> int:
        """The same for every page, however long the listing takes."""
        return self.day.listed_until(self.begun_at)

    @property
    def again_at(self) -> int | None:
        """Until when its report stands; None: for good."""
        return self.day.again_at(self.begun_at, settling=self.settling)

    @property
    def expires_at(self) -> int:
        """When its rows may go, in seconds."""
        return (self.begun_at + KEPT) // SECOND


def read(message: str) -> Comparison:
    """The comparison that a message is about, as it was before its first piece but for their number; ValueError."""
    name, pieces = message.split(" ")
    bank, day, begun_at = name.split("/")
    since = int(datetime.fromisoformat(f"{day}T00:00+00:00").timestamp()) * SECOND
    return Comparison(bank, Day(since), int(begun_at), int(pieces))


def listed(comparison: Comparison, cursor: str) -> Comparison:
    """After a piece of the bank's list; without a cursor, its last."""
    return replace(comparison, pieces=comparison.pieces + 1, cursor=cursor, part=None if cursor else 0)


def compared(comparison: Comparison, ours: list[Line], differences: list[Difference]) -> Comparison:
    """After a part of ours; of a day that is still listing, after all parts at once."""
    return replace(
        comparison,
        pieces=comparison.pieces + 1,
        part=PARTS if comparison.part is None else comparison.part + 1,
        compared=comparison.compared + len(ours),
        settling=comparison.settling or any(line.state == "settling" for line in ours),
        found=comparison.found + len(differences),
        named=(*comparison.named, *differences)[:MAX_NAMED],
    )


def begun_elsewhere(comparison: Comparison, ours: Iterable[Line], theirs: Iterable[Line]) -> list[str]:
    """The keys of what the bank made on this day and is not among ours: it can have begun here on another day."""
    day = comparison.day
    return sorted({line.key for line in theirs if day.since <= line.at < day.until} - {line.key for line in ours})


def line(listed: Listed) -> Line:
    """A line of the bank's list, as it is compared with ours."""
    return Line(listed.key, listed.amount, listed.currency, "settled", listed.at, listed.kind, listed.reference)


def part_of(key: str) -> int:
    return sum(key.encode()) % PARTS


def by_part(lines: Iterable[Line]) -> dict[int, list[Line]]:
    """The bank's lines in the parts of their keys. What has none is compared with nothing, so its reference spreads it."""
    parts: dict[int, list[Line]] = defaultdict(list)
    for line in lines:
        parts[part_of(line.key or line.reference)].append(line)
    return parts
