"""A bill's rows on a real engine: the journal keeps every change, one writer wins, and the indexes stay sparse."""

import json
import pathlib
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from billfold.bills import Bill, Summary, bill_rows, bill_stream
from billfold.bills import bill_changes as changes
from billfold.bills.bill_changes import Change
from billfold.errors import IdempotencyKeyReused, NotFound, Stale
from billfold.events import Event
from billfold.money import Money
from billfold.tables.commits import Commit
from billfold.tables.journals import UnknownKind
from billfold.tables.rows import DUE_SHARDS
from tests.rules.bill_worlds import MINUTE, OPENED, PERIOD, item, opening, rebuild
from tests.tables.scripts import metered

pytestmark = pytest.mark.usefixtures("store")

END = OPENED + PERIOD
MARKS = {"operation": "opr_1", "request": "fingerprint", "tries_left": 2}
REFUSED = changes.Outcome("refused", refusal="cap_exceeded", facts={"cap_minor": 5, "total_minor": 0})
OLD_ROWS = pathlib.Path(__file__).parent / "bill_rows_v1.json"


def taps(at: int, *numbers: int, late: bool = False, **marks: object) -> changes.ItemsAdded:
    items = [item(number, merchant=f"mer_{number}", signed_at_text="2026-11-23T18:00:00Z") for number in numbers]
    outcomes = [changes.Outcome("added", each.item_id) for each in items]
    return changes.ItemsAdded(at=at, items=items, outcomes=[*outcomes, REFUSED], late=late, **marks)


# Lives that pass through every kind of change.
PAID: list[Change] = [
    opening(cap=50_000),
    taps(OPENED + 1, 1, 2, 3, 4, **MARKS),
    changes.ItemVoided(at=OPENED + 2, item_id="itm_1", by="mer_1"),
    changes.ItemDisputed(at=OPENED + 3, item_id="itm_2", **MARKS),
    changes.Closed(at=END, by_user=False),
    taps(END + 1, 5, late=True),
    changes.Reminded(at=END + 15 * MINUTE),
    changes.SettlementFailed(at=END + 16 * MINUTE, refusal="balance_too_low", facts={"available_minor": 7}, **MARKS),
    changes.Settled(at=END + 17 * MINUTE, transfer_id="trf_1", list_hash="0" * 64, method="pin", **MARKS),
    changes.Refunded(at=END + 18 * MINUTE, transfer_id="trf_2", items=["itm_3"], reason="cold ☕", by="mer_3", **MARKS),
]
UNPAID: list[Change] = [
    opening(),
    taps(OPENED + 1, 1),
    changes.Closed(at=OPENED + 2, by_user=True),
    changes.Unpaid(at=OPENED + 40 * MINUTE),
]
BY_CARD: list[Change] = [
    opening(),
    taps(OPENED + 1, 1),
    changes.Closed(at=OPENED + 2, by_user=True),
    changes.Settling(at=OPENED + 3, charge="chg_1", card="crd_1", list_hash="0" * 64, method="pin", **MARKS),
    changes.Settled(
        at=OPENED + 4,
        transfer_id="trf_1",
        list_hash="0" * 64,
        method="pin",
        paid_by=changes.PaidBy("crd_1", "sandbox", "reference"),
        tries_left=3,
    ),
]


def fresh() -> str:
    return f"bil_{uuid.uuid4().hex}"


def opened(bill_id: str, opening: changes.Opened) -> Bill:
    commit = Commit(uuid.uuid4().hex)
    bill = bill_rows.add_opened(commit, bill_id, opening)
    commit.send()
    return bill


def put(before: Bill, change: Change) -> Bill:
    commit = Commit(uuid.uuid4().hex)
    bill = bill_rows.add_change(commit, before, change)
    commit.send()
    return bill


def lived(life: list[Change], bill_id: str = "") -> Bill:
    bill = opened(bill_id or fresh(), life[0])
    for change in life[1:]:
        bill = put(bill, change)
    return bill


def head(store, bill_id: str) -> dict:
    return next(row for row in store.rows("bills") if (row["pk"]["S"], row["sk"]["S"]) == (bill_id, "#"))


# -------------------------------------------------------------------------------------------------------------- journal


@pytest.mark.parametrize("life", [PAID, UNPAID, BY_CARD], ids=["paid", "unpaid", "by card"])
def test_a_bill_and_all_its_changes_are_read_as_they_were_written(life):
    """Every kind of change, with and without the marks of a request, comes back equal; so does the bill."""
    bill = lived(life)
    journal = bill_rows.load(bill.bill_id)
    assert list(journal.changes) == life
    assert journal.present == bill == rebuild(bill.bill_id, life)


def test_the_lives_above_pass_through_every_kind_of_change():
    """A new kind joins one of them, or this fails."""
    assert {type(change) for change in [*PAID, *UNPAID, *BY_CARD]} == set(bill_rows.JOURNALS.kinds.values())


def test_the_kinds_of_changes_are_stored_under_names_that_stay():
    """Stored data outlives code: a class that is renamed must keep reading what is stored under its old name."""
    assert set(bill_rows.JOURNALS.kinds) == {
        "opened",
        "items_added",
        "item_voided",
        "item_disputed",
        "closed",
        "reminded",
        "unpaid",
        "settling",
        "settlement_failed",
        "settled",
        "refunded",
    }


def test_rows_written_by_the_first_version_can_be_read(store):
    """Stored data outlives code: these rows are frozen; a change of the code that cannot read them is wrong."""
    rows = json.loads(OLD_ROWS.read_text())
    for row in rows:
        store.client.put_item(TableName="billfold-bills", Item=row)
    paid, unpaid = bill_rows.load("bil_old_paid"), bill_rows.load("bil_old_unpaid")
    assert {row["kind"]["S"] for row in rows if "kind" in row} == set(bill_rows.JOURNALS.kinds) - {"settling"}
    assert [replace(change, tries_left=3) for change in PAID] == list(paid.changes)
    assert (paid.present.state, paid.present.total.amount, paid.present.refunded.amount) == (
        "partially_refunded",
        300,
        100,
    )
    assert (unpaid.present.state, unpaid.present.closed_by_user) == ("unpaid", True)
    put(paid.present, replace(PAID[-1], at=END + 20 * MINUTE, items=["itm_4"]))
    mine, *theirs = bill_stream.events_of(rows[2])
    assert (mine.audience, mine.facts["state"]) == ("usr_1", "active")
    assert [(event.audience, event.facts) for event in theirs] == [("mer_1", {})], "who it was, and not what it became"


def test_rows_of_the_first_card_payments_can_be_read(store):
    """As above: a bill settled by a card, as the version that brought cards wrote it."""
    for row in json.loads(OLD_ROWS.with_name("bill_rows_v2.json").read_text()):
        store.client.put_item(TableName="billfold-bills", Item=row)
    journal = bill_rows.load("bil_old_by_card")
    assert list(journal.changes) == BY_CARD
    assert journal.present.paid_by == changes.PaidBy("crd_1", "sandbox", "reference")


def test_a_repeat_gets_the_bill_as_the_first_answer_showed_it():
    """LG-10: with the change that made it so; the same key with another body is refused."""
    bill = lived(PAID)
    journal = bill_rows.load(bill.bill_id)
    for count in range(1, len(PAID) + 1):
        assert journal.at(count) == rebuild(bill.bill_id, PAID[:count])
    assert journal.repeat("opr_1", "fingerprint") == (journal.at(2), PAID[1])
    assert journal.repeat("opr_2", "fingerprint") is None
    with pytest.raises(IdempotencyKeyReused):
        journal.repeat("opr_1", "another fingerprint")


def test_a_bill_of_two_hundred_items_is_read_whole():
    """The largest bill there is: four batches, one Query's worth or more."""
    life: list[Change] = [opening(), *[taps(OPENED + n, *range(n * 50, n * 50 + 50)) for n in range(4)]]
    bill = lived(life)
    assert bill_rows.load(bill.bill_id).present == bill
    assert len(bill.items) == 200


def test_an_unknown_bill_is_not_found():
    """XX-05."""
    with pytest.raises(NotFound):
        bill_rows.load("bil_nobody")


# --------------------------------------------------------------------------------------------------------------- writes


def test_a_change_costs_four_write_units_for_a_bill_of_any_length():
    """The budget of design.md: head and change, two units each; only opening and deadlines also write to an index."""
    bill = opened(fresh(), opening())
    for number in range(3):
        with metered("TransactWriteItems") as units:
            bill = put(bill, taps(OPENED + 1, number))
        assert units == [4]


def test_of_many_writers_with_the_same_bill_in_hand_exactly_one_wins():
    """The revision is the lock: the others hear that it is stale and decide anew."""
    bill = opened(fresh(), opening())

    def attempt(number: int) -> bool:
        change = changes.Closed(at=OPENED + number, by_user=True) if number % 2 else taps(OPENED + number, number)
        try:
            put(bill, change)
        except Stale:
            return False
        return True

    with ThreadPoolExecutor(16) as pool:
        won = list(pool.map(attempt, range(1, 33)))
    assert won.count(True) == 1
    assert len(bill_rows.load(bill.bill_id).changes) == 2


def test_a_bill_is_opened_once():
    """The same id again is stale, and leaves the first as it was."""
    bill = opened(fresh(), opening())
    with pytest.raises(Stale):
        opened(bill.bill_id, opening(cap=5))
    assert bill_rows.load(bill.bill_id).present == bill


@pytest.mark.parametrize(
    ("late", "at", "taken"),
    [
        (False, END - 1, True),
        (False, END, False),
        (True, END + 10 * MINUTE, True),
        (True, END + 10 * MINUTE + 1, False),
    ],
)
def test_the_write_itself_enforces_the_period(late, at, taken):
    """VB-05, VB-08, XX-04: whatever the rule thought, the condition knows the instant."""
    bill = opened(fresh(), opening())
    if taken:
        assert len(put(bill, taps(at, 1, late=late)).items) == 1
        return
    with pytest.raises(Stale):
        put(bill, taps(at, 1, late=late))
    assert bill_rows.load(bill.bill_id).present == bill


# -------------------------------------------------------------------------------------------------------------- indexes


def due_now(now: int) -> list[str]:
    return list(bill_rows.JOURNALS.due(now))


@pytest.mark.parametrize("life", [PAID, UNPAID, BY_CARD], ids=["paid", "unpaid", "by card"])
def test_a_bill_is_in_the_index_of_deadlines_exactly_while_something_is_due(life):
    """XX-04: at every point of its life, at its very instant and not before; over, it is gone."""
    bill = opened(fresh(), life[0])
    for change in [None, *life[1:]]:
        bill = put(bill, change) if change else bill
        if bill.due_at is None:
            assert due_now(10 * END) == []
        else:
            assert due_now(bill.due_at - 1) == []
            assert due_now(bill.due_at) == [bill.bill_id]
    assert bill.due_at is None


def test_a_late_tap_puts_an_empty_bill_back_into_the_index():
    """VB-08, VB-18: it waits to be verified, so it has a deadline again."""
    bill = put(opened(fresh(), opening()), changes.Closed(at=END, by_user=False))
    assert due_now(10 * END) == []
    bill = put(bill, taps(END + 1, 1, late=True))
    assert due_now(10 * END) == [bill.bill_id]


def test_the_indexes_hold_heads_only(store):
    """A change is in no index: a bill of any length has one entry with its owner, and one while it is due."""
    lived(PAID)
    waiting = lived(UNPAID[:3])
    entries = {
        index: store.client.scan(TableName="billfold-bills", IndexName=index)["Items"] for index in ("due", "by_owner")
    }
    assert [(entry["pk"]["S"], entry["sk"]["S"]) for entry in entries["due"]] == [(waiting.bill_id, "#")]
    assert [entry["sk"]["S"] for entry in entries["by_owner"]] == ["#", "#"]


def test_deadlines_are_spread_over_the_shards(store):
    """XX-04: no minute's deadlines meet on one partition (ids that are given, so that chance has no part in it)."""
    for number in range(60):
        opened(f"bil_{number:032x}", opening())
    entries = store.client.scan(TableName="billfold-bills", IndexName="due")["Items"]
    assert len({entry["due_shard"]["S"] for entry in entries}) == DUE_SHARDS
    assert len(due_now(END)) == 60


def test_the_head_says_what_the_bill_says(store):
    """Conditions, lists and the index read the head: after every change it agrees with the journal."""
    bill = opened(fresh(), PAID[0])
    for change in PAID[1:]:
        bill = put(bill, change)
        row = head(store, bill.bill_id)
        shown = (row["state"]["S"], int(row["revision"]["N"]), int(row["total"]["N"]))
        assert shown == (bill.state, bill.revision, bill.total.amount)
        assert ("due_at" in row) == ("due_shard" in row) == (bill.due_at is not None)
        assert (int(row["expires_at"]["N"]), int(row["late_until"]["N"])) == (bill.expires_at, bill.late_until)


def test_a_user_s_bills_are_listed_newest_first_page_by_page():
    """Ids are time-ordered, so the index is; nobody else's bills are among them."""
    ids = [f"bil_{number:032x}" for number in range(7)]
    for bill_id in ids:
        opened(bill_id, opening())
    opened(fresh(), replace(opening(), owner="usr_2"))
    seen, before = [], ""
    while True:
        page, before = bill_rows.summaries("usr_1", before=before, limit=3)
        seen += page
        if not before:
            break
    head = ("dev_1", "active", Money(0, "USD"), OPENED, END)
    assert seen == [Summary(bill_id, *head) for bill_id in ids[::-1]]


# --------------------------------------------------------------------------------------------------------------- events


def rows_of(store, bill_id: str) -> list[dict]:
    """The head and the changes."""
    return sorted((row for row in store.rows("bills") if row["pk"]["S"] == bill_id), key=lambda row: row["sk"]["S"])


def test_each_change_of_a_bill_is_told_to_its_owner_and_to_the_sellers_whom_it_concerns(store):
    """XX-03, VB-13, VB-14: a new list to verify is asked for beside what made it; a seller hears the bill's state as it sees it."""
    bill_id = lived(PAID).bill_id

    def mine(revision: int, kind: str, state: str, total: int, *, asked: str = "") -> Event:
        facts = {"revision": revision, "state": state, "total": {"amount": total, "currency": "USD"}}
        return Event(f"{bill_id}/{revision:08d}{asked}", "usr_1", kind, bill_id, PAID[revision - 1].at, facts)

    def theirs(revision: int, kind: str, state: str, *sellers: int) -> list[Event]:
        change, at = f"{bill_id}/{revision:08d}", PAID[revision - 1].at
        return [Event(change, f"mer_{number}", kind, bill_id, at, {"state": state}) for number in sellers]

    requested = "bill.verification_requested"
    head, *changed = rows_of(store, bill_id)
    assert bill_stream.events_of(head) == [], "what the bill is now is no event"
    assert [bill_stream.events_of(row) for row in changed] == [
        [mine(1, "bill.opened", "active", 0)],
        [mine(2, "bill.items_added", "active", 400), *theirs(2, "bill.items_added", "active", 1, 2, 3, 4)],
        [mine(3, "bill.item_voided", "active", 300), *theirs(3, "bill.item_voided", "active", 1)],
        [mine(4, "bill.item_disputed", "active", 200), *theirs(4, "bill.item_disputed", "active", 2)],
        [mine(5, requested, "verifying", 200)],
        [
            mine(6, "bill.items_added", "verifying", 300),
            mine(6, requested, "verifying", 300, asked="/asked"),
            *theirs(6, "bill.items_added", "verifying", 5),
        ],
        [mine(7, "bill.verification_reminded", "verifying", 300)],
        [mine(8, "bill.settlement_failed", "failed", 300)],
        [mine(9, "bill.settled", "settled", 300), *theirs(9, "bill.settled", "settled", 3, 4, 5)],
        [mine(10, "bill.refunded", "partially_refunded", 300), *theirs(10, "bill.refunded", "refunded", 3)],
    ]


def test_a_change_of_a_kind_that_only_a_newer_version_knows_is_left_to_that_version(store):
    """While a deployment shifts, an old function must not pass over what a new one wrote."""
    change = rows_of(store, lived(UNPAID).bill_id)[1]
    with pytest.raises(UnknownKind):
        bill_stream.events_of(change | {"kind": {"S": "frozen"}})


def test_what_is_checked_as_read_stops_a_commit_once_the_bill_has_changed(store):
    """VB-15: a wrong PIN counts against the bill that was looked at, and not against a later one."""
    before = lived(UNPAID[:3])

    def attempt() -> None:
        with Commit(uuid.uuid4().hex) as commit:
            bill_rows.check_as_read(commit, before)

    attempt()
    put(before, UNPAID[3])
    with pytest.raises(Stale):
        attempt()
