"""A comparison's rows on a real engine: each piece is put once, with what it listed, within what one transaction takes."""

import json
import uuid
from dataclasses import replace

import pytest

from billfold.charges import DAY, Day, Difference, Line, charge_stream, comparison_rows, comparisons
from billfold.charges.comparisons import MAX_NAMED, MOST_LINES, PARTS, Comparison
from billfold.errors import NotFound, Stale
from billfold.tables.commits import Commit
from tests.rules.card_worlds import BOUND

pytestmark = pytest.mark.usefixtures("store")

TODAY = Day(BOUND - BOUND % DAY)
WHOLE = Comparison("sandbox", TODAY, BOUND + DAY)
LONG = 255  # a bank's references, and our keys, are no longer


def put(after: Comparison, lines: list[Line] | None = None) -> Comparison:
    commit = Commit(str(uuid.uuid4()))
    comparison_rows.add_piece(commit, after, lines or [])
    commit.send()
    return after


def line(number: int, key: str) -> Line:
    return Line(key, 10**12, "USD", "settled", BOUND + number, "charge", f"pay_{number:0{LONG - 4}d}")


def difference(number: int) -> Difference:
    one = line(number, f"{number:0{LONG}d}")
    return Difference("missing_there", one.key, one, one)


@pytest.mark.parametrize(
    "key",
    [lambda n: f"chg_{n:0{LONG - 4}d}", lambda n: "k" * LONG, lambda n: ""],
    ids=["spread", "all under one key", "without any"],
)
def test_what_a_piece_lists_fits_into_one_transaction(key):
    """Issue 7 A5: the longest lines, as many as a piece can end with, in as many parts as there are or in one."""
    lines = [line(number, key(number)) for number in range(MOST_LINES + 99)]
    listed = put(comparisons.listed(WHOLE, ""), lines)
    found = [one for part in range(PARTS) for one in comparison_rows.lines(replace(listed, part=part))]
    assert sorted(map(repr, found)) == sorted(map(repr, lines))


def test_a_comparison_is_loaded_as_its_last_piece_left_it_and_a_piece_that_is_done_not_at_all():
    """Issue 7 A5: whichever copy of a message comes, and with the longest differences that it can carry."""
    first = put(comparisons.listed(WHOLE, "cursor"))
    assert comparison_rows.load(first.message) == first
    assert comparison_rows.load(WHOLE.message) is None
    there = put(
        replace(comparisons.listed(first, ""), named=tuple(map(difference, range(MAX_NAMED))), found=500, settling=True)
    )
    assert comparison_rows.load(there.message) == there
    assert [comparison_rows.load(one.message) for one in (WHOLE, first)] == [None, None]
    with pytest.raises(NotFound):
        comparison_rows.load(replace(WHOLE, pieces=7).message)


def test_nobody_ends_a_piece_twice():
    """Issue 7 A5: of two who list the same pages, one puts what it read, whatever the other read."""
    put(comparisons.listed(WHOLE, "here"), [line(1, "chg_1")])
    with pytest.raises(Stale):
        put(comparisons.listed(WHOLE, "further"), [line(2, "chg_2"), line(3, "chg_3")])
    after = comparisons.listed(WHOLE, "here")
    assert comparison_rows.load(after.message) == after
    assert [comparison_rows.lines(replace(after, part=comparisons.part_of(f"chg_{n}"))) for n in (1, 2, 3)] == [
        [line(1, "chg_1")],
        [],
        [],
    ]


def test_a_report_is_replaced_by_one_that_began_later_and_by_no_other(store):
    """CB-21: what comes again after two weeks among the dead letters does not undo today's word; an earlier version's gives way."""
    row = {"pk": {"S": f"rec_{TODAY.name}"}, "sk": {"S": "sandbox"}, "compared": {"N": "1"}, "found": {"N": "9"}}
    store.client.put_item(TableName="billfold-charges", Item=row | {"differences": {"S": "[]"}})
    newer = replace(WHOLE, begun_at=WHOLE.begun_at + 1)
    assert comparison_rows.reported([WHOLE, replace(WHOLE, bank="stripe")]) == {WHOLE.name}
    assert comparison_rows.load(WHOLE.message) == WHOLE
    put(comparisons.compared(newer, [line(0, "chg_0")] * 3, [difference(1)]))
    for one in (WHOLE, newer):
        assert comparison_rows.load(one.message) is None
        with pytest.raises(Stale):
            put(comparisons.compared(one, [line(0, "chg_0")] * 4, []))
    (report,) = [one for one in store.rows("charges") if one["sk"]["S"] == "sandbox"]
    assert (report["compared"]["N"], len(json.loads(report["differences"]["S"]))) == ("3", 1)


def test_all_but_reports_go_by_themselves(store):
    """Issue 7 A5: a million lines a day are no archive; what a message could still ask for is there longer than any message."""
    listed = put(comparisons.listed(WHOLE, ""), [line(1, "chg_1")])
    put(comparisons.compared(replace(listed, part=PARTS - 1), [line(0, "chg_0")] * 1, []))
    ends = {row["pk"]["S"].count("/"): row.get("expires_at", {}).get("N") for row in store.rows("charges")}
    assert ends == {0: None, 2: str(listed.expires_at), 3: str(listed.expires_at)}
    assert 28 * DAY < listed.expires_at * 1_000 - WHOLE.begun_at < 60 * DAY


def test_what_a_piece_put_has_the_next_one_done(store):
    """Issue 7 A5: the stream tells of the piece alone, neither of lines nor of reports."""
    listed = put(comparisons.listed(WHOLE, ""), [line(1, "chg_1")])
    put(comparisons.compared(WHOLE, [line(0, "chg_0")] * 1, []))
    told = [one for row in store.rows("charges") for one in comparison_rows.messages(row)]
    assert told == [("comparisons", listed.message)]
    assert not [
        one for row in store.rows("charges") for one in charge_stream.messages(row) + charge_stream.events_of(row)
    ]
