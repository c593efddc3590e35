"""Comparisons as they go on, the bank's lines that they have read, and their reports.

The rules are in `billfold/charges/comparisons.py`.

pk                              sk                 what
rec_<bank>/<day>/<begun>        after 00000003     how far it had come after so many pieces; the stream has the next one done
rec_<bank>/<day>/<begun>/<part> lines 00000003/00  lines of the bank's list, read by that piece
rec_<day>                       <bank>             what the comparison of a day found, and when it is made once more

Each piece's row must not exist when it is put, with all that the piece has read in the same transaction: whoever does a piece a
second time, at once or days later, changes nothing. All but reports are deleted by TTL.
"""

from collections.abc import Iterable
from itertools import islice
from typing import Any

import msgspec
from pynamodb.attributes import Attribute, BooleanAttribute, UnicodeAttribute

from billfold.charges import Difference, Line, comparisons
from billfold.charges.comparisons import Comparison
from billfold.errors import NotFound
from billfold.tables.commits import Commit
from billfold.tables.rows import Integer, Json, Row, as_stored, existence, fetch, pages, several, single, table

LINES_A_ROW = 100
_AFTER = "after "


class ComparisonRow(Row):
    class Meta:
        table_name = table("charges")

    cursor = UnicodeAttribute(default="")
    part: Attribute[int] = Integer(null=True)
    compared = Integer()
    settling = BooleanAttribute(default=False)
    found = Integer()
    differences = Json()
    expires_at = Integer()


class LinesRow(Row):
    class Meta:
        table_name = table("charges")

    lines = Json()
    expires_at = Integer()


class ReportRow(Row):
    """`begun_at`: when its comparison began; reports of earlier versions do not say it. `again_at`: until when it stands."""

    class Meta:
        table_name = table("charges")

    compared = Integer()
    found = Integer()
    differences = Json()
    begun_at: Attribute[int] = Integer(null=True)
    again_at: Attribute[int] = Integer(null=True)


def load(message: str) -> Comparison | None:
    """The comparison whose next piece this message is about; None when it was done, or the day is reported by a later one."""
    wanted = comparisons.read(message)
    row, done, report = fetch(
        single(*_place(wanted, wanted.pieces), as_stored),
        existence(_place(wanted, wanted.pieces + 1)),
        single(*_report_place(wanted), as_stored),
    )
    if done or (report and (report.begun_at or 0) >= wanted.begun_at):
        return None
    if not wanted.pieces:
        return wanted
    if row is None:
        raise NotFound()
    named = msgspec.convert(row.differences, tuple[Difference, ...])
    return Comparison(
        wanted.bank,
        wanted.day,
        wanted.begun_at,
        wanted.pieces,
        row.cursor or "",
        row.part,
        row.compared,
        bool(row.settling),
        row.found,
        named,
    )


def lines(comparison: Comparison) -> list[Line]:
    """The bank's lines in the part that is compared next."""
    raw = pages(LinesRow, f"rec_{comparison.name}/{comparison.part}")
    return [line for one in raw for line in msgspec.json.decode(one["lines"]["S"], type=list[Line])]


def add_piece(commit: Commit, after: Comparison, listed: Iterable[Line] = ()) -> None:
    """Add to a commit how far a comparison has come and what its piece has listed, or its report."""
    named = msgspec.to_builtins(after.named)
    counts: dict[str, Any] = {"compared": after.compared, "found": after.found, "differences": named}
    if after.state == "reported":
        _, day, bank = _report_place(after)
        begun = ReportRow.begun_at
        older = ReportRow.pk.does_not_exist() | begun.does_not_exist() | (begun < after.begun_at)
        commit.put(ReportRow(day, bank, begun_at=after.begun_at, again_at=after.again_at, **counts), older)
        return
    _, pk, sk = _place(after, after.pieces)
    place: dict[str, Any] = {
        "cursor": after.cursor,
        "part": after.part,
        "settling": after.settling,
        "expires_at": after.expires_at,
    }
    commit.put_new(ComparisonRow(pk, sk, **place, **counts))
    for part, its_lines in comparisons.by_part(listed).items():
        for begin in range(0, len(its_lines), LINES_A_ROW):
            some = msgspec.to_builtins(its_lines[begin : begin + LINES_A_ROW])
            key = (f"{pk}/{part}", f"lines {after.pieces:08d}/{begin // LINES_A_ROW:02d}")
            commit.put(LinesRow(*key, lines=some, expires_at=after.expires_at))


def reported(wanted: Iterable[Comparison]) -> set[str]:
    """Of these comparisons, the names of those whose day has a report that stands when they would begin."""
    places, standing = {_report_place(each)[1:]: each for each in wanted}, set[str]()
    waiting = iter(places)
    while some := list(islice(waiting, 100)):
        for row in fetch(several(ReportRow, some, as_stored)):
            comparison = places[row.pk, row.sk]
            if comparison.begun_at < (row.again_at or comparison.begun_at + 1):
                standing.add(comparison.name)
    return standing


def messages(image: dict[str, Any]) -> list[tuple[str, str]]:
    """The queue that does the next piece, for a piece that was just done."""
    name, place = image["pk"]["S"].removeprefix("rec_"), image["sk"]["S"]
    if not place.startswith(_AFTER):
        return []
    return [("comparisons", f"{name} {int(place.removeprefix(_AFTER))}")]


def _place(comparison: Comparison, pieces: int) -> tuple[type[ComparisonRow], str, str]:
    return ComparisonRow, f"rec_{comparison.name}", f"{_AFTER}{pieces:08d}"


def _report_place(comparison: Comparison) -> tuple[type[ReportRow], str, str]:
    return ReportRow, f"rec_{comparison.day.name}", comparison.bank
