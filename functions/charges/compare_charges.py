"""Compare a bank's day with the bank's own list, one piece of it a message: pages of the list, or a part of what was listed.

A message is a comparison and how many of its pieces are done: `stripe/2026-11-23/1764036600000 3`.

Trigger   queue comparisons
Reads     comparison, report; index of days, charges; the bank's lines
Writes    comparison and the bank's lines, or report   (one transaction)
Answers   listing | comparing | reported | unknown, asked again later | done before
Again     a piece is done once; what was written of it has the next one done
May       charges BatchGetItem PutItem Query Query:by_day; postpone comparisons; bank
Runs      1769 MiB (a whole core)
Layers    stripe
"""

from itertools import islice

from billfold import banks, charges, clock
from billfold.charges import Difference, Line, charge_rows, comparison_rows, comparisons
from billfold.charges.comparisons import LISTS_FOR, MOST_LINES, Comparison
from billfold.errors import Unavailable
from billfold.tables.commits import Commit
from billfold.triggers import log, queue


@queue.patient_step("comparisons")
def handler(message: str, before: int) -> str | queue.Later:
    comparison = comparison_rows.load(message)
    if comparison is None:
        return "done before"

    if comparison.state == "listing":
        try:
            theirs, cursor = _listed(comparison, clock.now() + LISTS_FOR)
        except Unavailable:
            return _ask_later(before)
        after, ours = comparisons.listed(comparison, cursor), _all_ours(comparison, cursor)
    else:
        theirs = comparison_rows.lines(comparison)
        begun = charge_rows.begun_on(comparison.day.since, comparison.part)
        ours = list(charge_rows.lines_of(comparison.bank, begun))
    if ours is not None:
        after = comparisons.compared(comparison, ours, _differences(comparison, ours, theirs))

    with Commit(comparison.message) as commit:
        comparison_rows.add_piece(commit, after, theirs if comparison.state == "listing" else ())

    return after.state


def _listed(comparison: Comparison, until: int) -> tuple[list[Line], str]:
    """Pages of the bank's list from where the comparison is, as many as there is time for; Unavailable when none came."""
    adapter, lines, cursor = banks.bank(comparison.bank), list[Line](), comparison.cursor
    while True:
        try:
            page, cursor = adapter.charges(comparison.day.listed_since, comparison.listed_until, cursor)
        except Unavailable:
            if cursor == comparison.cursor:
                raise
            return lines, cursor
        lines += map(comparisons.line, page)
        if not cursor or len(lines) >= MOST_LINES or clock.now() >= until:
            return lines, cursor


def _all_ours(comparison: Comparison, cursor: str) -> list[Line] | None:
    """Our list of a day whose bank's list came in one piece; None when either is longer than a piece."""
    if comparison.pieces or cursor:
        return None
    begun = list(islice(charge_rows.begun_on(comparison.day.since), MOST_LINES + 1))
    return list(charge_rows.lines_of(comparison.bank, begun)) if len(begun) <= MOST_LINES else None


def _differences(comparison: Comparison, ours: list[Line], theirs: list[Line]) -> list[Difference]:
    """Every difference, which is logged before it is committed: twice rather than never."""
    bank, day = comparison.bank, comparison.day
    others = charge_rows.lines_of(bank, comparisons.begun_elsewhere(comparison, ours, theirs))
    known = [charges.as_counted(line, bank) for line in (*ours, *others)]
    found = charges.compare(known, theirs, day.since, day.until)
    for difference in found:
        there = difference.there.reference if difference.there else ""
        facts = {"bank": bank, "day": day.name, "charge": difference.key, "reference": there, "kind": difference.kind}
        log.line("differs", "compare_charges", 0, facts, failed=True)
    return found


def _ask_later(before: int) -> queue.Later:
    """A bank that is silent for an hour makes a dead letter, and the next day begins the comparison anew."""
    delay = charges.delay_seconds(before)
    if delay is None:
        raise Unavailable()
    return queue.Later(delay, "unknown, asked again later")
