"""The rules of comparisons: a day compared in pieces is the day compared at once."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billfold import charges
from billfold.charges import DAY, Day, Difference, Line, comparisons
from billfold.charges.comparisons import MAX_NAMED, PARTS, Comparison
from tests.rules.test_charge_rules import SINCE, UNTIL, Seeded, built, seeded, told

TODAY = Day(SINCE)
BEGUN = UNTIL + 2 * 3_600_000
OURS = Line("chg_1", 1, "USD", "settled", SINCE)
WHOLE = Comparison("sandbox", TODAY, BEGUN)


def in_parts(lists: Seeded) -> list[Difference]:
    ours, theirs, _ = lists
    parts = comparisons.by_part(theirs)
    return [
        one
        for part in range(PARTS)
        for one in charges.compare(
            [line for line in ours if comparisons.part_of(line.key) == part], parts.get(part, []), SINCE, UNTIL
        )
    ]


@settings(max_examples=200, derandomize=True, database=None)
@given(seeded)
def test_part_after_part_finds_what_the_whole_day_compared_at_once_does(wanted):
    """CB-21, issue 7 A5: no difference lies between two parts, also of what has no key or a foreign one."""
    lists = built(wanted)
    assert told(in_parts(lists)) == told(charges.compare(*lists[:2], SINCE, UNTIL))


@given(st.lists(st.text(max_size=30).filter(str.isprintable), max_size=200))
def test_each_line_is_in_one_part(keys):
    """Issue 7 A5: whatever a key looks like; lines without one are spread by their references."""
    lines = [Line(key, 1, "USD", "settled", SINCE, "charge", f"pay_{n}") for n, key in enumerate(keys)]
    parts = comparisons.by_part(lines)
    assert sorted(line for part in parts.values() for line in map(repr, part)) == sorted(map(repr, lines))
    assert set(parts) <= set(range(PARTS))


@given(st.integers(0, 10**6), st.integers(0, 40_000), st.sampled_from(["sandbox", "stripe"]))
def test_a_message_names_its_comparison_and_how_much_of_it_is_done(pieces, day, bank):
    """Issue 7 A5: nothing else is in a message, so that any copy of it means the same."""
    comparison = Comparison(bank, Day(day * DAY), day * DAY + BEGUN, pieces)
    assert comparisons.read(comparison.message) == comparison


@pytest.mark.parametrize(
    "message", ["", "sandbox/2026-11-23/1", "sandbox/2026-11-23 1", "sandbox/yesterday/1 1", "a/b/c d"]
)
def test_what_is_no_such_message_is_a_fault(message):
    """Issue 7 A5: it becomes a dead letter."""
    with pytest.raises(ValueError, match=r"unpack|isoformat"):
        comparisons.read(message)


def difference(number: int) -> Difference:
    return Difference("missing_here", f"chg_{number}", None, Line(f"chg_{number}", 1, "USD", "settled", SINCE))


def test_a_comparison_goes_through_its_list_and_then_through_each_part_once():
    """Issue 7 A5: pieces are counted from the first page to the report, and what they found adds up."""
    there = comparisons.listed(WHOLE, "cursor")
    assert (there.state, there.part, there.pieces, there.cursor) == ("listing", None, 1, "cursor")
    there = comparisons.listed(there, "")
    assert (there.state, there.part, there.pieces, there.cursor) == ("comparing", 0, 2, "")
    for part in range(PARTS):
        assert (there.state, there.part) == ("comparing", part)
        there = comparisons.compared(there, [OURS] * 10, [difference(part)] * 5)
    assert (there.state, there.pieces) == ("reported", 2 + PARTS)
    assert (there.compared, there.found, len(there.named)) == (10 * PARTS, 5 * PARTS, MAX_NAMED)


def test_a_short_day_is_reported_in_one_piece():
    """CB-21: as before: what is listed whole is compared whole."""
    done = comparisons.compared(WHOLE, [OURS] * 3, [difference(1)])
    assert (done.state, done.compared, done.found, done.pieces) == ("reported", 3, 1, 1)


@pytest.mark.parametrize("pieces", [0, 1, 500])
def test_every_page_is_listed_up_to_the_same_instant(pieces):
    """CB-21: a list whose end moved while it was read would have other pages."""
    assert replace(WHOLE, pieces=pieces).listed_until == TODAY.listed_until(BEGUN)


@pytest.mark.parametrize("settling_in", [None, 0, 30, PARTS - 1])
def test_a_report_stands_for_good_unless_any_part_had_a_charge_that_was_settling(settling_in):
    """CB-21: the bank may still make it, for 21 hours after the day; what is compared later stands."""
    for begun_at, open_ in ((BEGUN, True), (TODAY.answered_at, False)):
        there = comparisons.listed(replace(WHOLE, begun_at=begun_at), "")
        for part in range(PARTS):
            ours = [OURS, replace(OURS, state="settling")] if part == settling_in else [OURS]
            there = comparisons.compared(there, ours, [])
        assert there.again_at == (TODAY.answered_at if open_ and settling_in is not None else None)
