"""A charge's rows on a real engine: intent and hold together, one end with its money, and lists that find it again."""

import json
import pathlib
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import reduce
from typing import Any

import pytest

from billfold import charges, ledger
from billfold.cards.card_changes import Removed
from billfold.charges import Charge, Line, charge_reviews, charge_rows, charge_stream, comparisons
from billfold.charges.charge_changes import ChargeChange, Declined, Disputed, RefundFailed, Reinstated, Settled, Started
from billfold.clock import HOUR
from billfold.errors import NotFound, Stale
from billfold.events import Event
from billfold.ledger import Balance, ledger_rows
from billfold.tables.commits import Commit
from billfold.tables.rows import due, fetch
from tests.proof.racing import books_balance
from tests.rules.card_worlds import BOUND, TOKEN
from tests.tables import test_card_rows as card_lives

pytestmark = pytest.mark.usefixtures("store")

OLD_ROWS = pathlib.Path(__file__).parent / "charge_rows_v1.json"
DAY = 24 * HOUR
ACTIVE = card_lives.REMOVED[:12]
ACCOUNT = ledger.card_funding("usr_1", "crd_1", "USD")
WALLET = ledger.wallet("usr_1", "USD")


def begun(charge_id: str = "chg_1", **fields: Any) -> Started:
    told = {
        "at": BOUND,
        "owner": "usr_1",
        "card": "crd_1",
        "bank": "sandbox",
        "token": TOKEN,
        "amount": 1_250,
        "currency": "USD",
        "purpose": "top_up",
        "about": "",
        "of": "",
        "hold": f"hld_{charge_id}",
        "transfer": f"trf_{charge_id}",
    }
    return Started(**(told | fields))


LIVES: dict[str, list[ChargeChange]] = {
    "settled": [
        begun("chg_old_settled", operation="opr_1", request="fingerprint"),
        Settled(at=BOUND + 1, reference="pay_1"),
    ],
    "declined": [begun("chg_old_declined", purpose="bill", about="bil_1"), Declined(at=BOUND + 2, reason="no_funds")],
    "refunded": [
        begun("chg_old_refunded", purpose="refund", about="bil_1", of="pay_1"),
        Settled(at=BOUND + 3, reference="pay_2"),
    ],
}
# What came to be known later, which the first version did not hear.
LATER: dict[str, list[ChargeChange]] = {
    "disputed": [
        begun("chg_old_disputed"),
        Settled(at=BOUND + 1, reference="pay_3"),
        Disputed(at=BOUND + 2, dispute="dp_1", amount=1_250, transfer="trf_1"),
        Reinstated(at=BOUND + 3, dispute="dp_1", transfer="trf_2"),
    ],
    "failed": [
        begun("chg_old_failed", purpose="refund", about="bil_1", of="pay_1"),
        Settled(at=BOUND + 1, reference="pay_4"),
        RefundFailed(at=BOUND + 2, reason="card_closed"),
    ],
}
EVERY = LIVES | LATER


def committed(fill: Callable[..., Any], *given: Any) -> Any:
    commit = Commit(uuid.uuid4().hex)
    made = fill(commit, *given)
    commit.send()
    return made


def start(charge_id: str = "chg_1", first: Started | None = None, **fields: Any) -> Charge:
    started = first or begun(charge_id, **fields)
    return committed(lambda commit: charge_rows.start(commit, charge_id, started))


def paid(charge: Charge, now: int = BOUND + 1) -> ledger.Transfer:
    legs = ledger.pay(charge_reviews.account(charge), [(WALLET, charge.amount)])
    return ledger.transfer(charge.transfer_id, legs, at=now, kind="top_up", reason="top-up", about=charge.charge_id)


def resolve(charge: Charge, change: ChargeChange, transfer: ledger.Transfer | None = None) -> Charge:
    return committed(lambda commit: charge_rows.resolve(commit, charge, change, transfer, change.at))


def lived(charge_id: str, life: list[ChargeChange]) -> Charge:
    charge = start(charge_id, life[0])
    transfer = paid(charge) if isinstance(life[1], Settled) and charge.purpose == "top_up" else None
    charge = resolve(charge, life[1], transfer)
    for number, change in enumerate(life[2:]):
        moved = replace(paid(charge, change.at), transfer_id=f"trf_{charge_id}_{number}")
        charge = committed(charge_rows.review, charge, change, moved)
    return charge


@pytest.fixture
def card() -> str:
    """An active card, whose charges are counted in its head."""
    card_lives.lived(ACTIVE, "crd_1")
    return "crd_1"


def balance() -> Balance:
    return fetch(ledger_rows.balance(ACCOUNT))


def due_now(now: int) -> list[str]:
    return list(charge_rows.JOURNALS.due(now))


# -------------------------------------------------------------------------------------------------------------- journal


@pytest.mark.parametrize("name", EVERY)
def test_a_charge_and_all_its_changes_are_read_as_they_were_written(card, name):
    """Every kind of change, with and without the marks of a request, comes back equal, but for its token; so does the charge."""
    life = EVERY[name]
    charge = lived(f"chg_old_{name}", life)
    journal = charge_rows.load(charge.charge_id)
    first, *rest = life
    assert isinstance(first, Started)
    kept = [replace(first, token=""), *rest]
    assert list(journal.changes) == kept
    assert (
        journal.present
        == replace(charge, token="")
        == reduce(charges.after, rest, charges.new(charge.charge_id, kept[0]))
    )
    assert journal.at(1) == charges.new(charge.charge_id, kept[0])


def test_the_lives_above_pass_through_every_kind_of_change():
    """A new kind joins one of them, or this fails."""
    assert {type(change) for life in EVERY.values() for change in life} == set(charge_rows.JOURNALS.kinds.values())


def test_the_kinds_of_changes_are_stored_under_names_that_stay():
    """Stored data outlives code: a class that is renamed must keep reading what is stored under its old name."""
    assert set(charge_rows.JOURNALS.kinds) == {
        "started",
        "settled",
        "declined",
        "refund_failed",
        "disputed",
        "reinstated",
    }


def test_rows_written_by_the_first_version_can_be_read(store):
    """Stored data outlives code: these rows are frozen; a change of the code that cannot read them is wrong."""
    rows = json.loads(OLD_ROWS.read_text())
    for row in rows:
        store.client.put_item(TableName="billfold-charges", Item=row)
    assert {row["kind"]["S"] for row in rows if "kind" in row} == {"started", "settled", "declined"}
    for name, life in LIVES.items():
        journal = charge_rows.load(f"chg_old_{name}")
        assert (list(journal.changes), journal.present.token) == (life, TOKEN)
    [line] = charge_rows.lines_of("sandbox", [one for one in charge_rows.begun_on(BOUND) if one == "chg_old_settled"])
    assert line == Line("chg_old_settled", 1_250, "USD", "settled", BOUND)


@pytest.mark.parametrize(
    "end",
    [Settled(at=BOUND + 1, reference="pay_1"), Declined(at=BOUND + 1, reason="no_funds")],
    ids=["settled", "declined"],
)
def test_a_charge_that_is_over_keeps_no_token_to_charge_by(card, store, end):
    """CB-18, issue 12 F23: while it is settling its head has it, because a silent bank is asked again with it; no change has."""
    started = start()
    assert charge_rows.load("chg_1").present == started
    assert started.token == TOKEN
    resolve(started, end, paid(started) if isinstance(end, Settled) else None)
    assert charge_rows.load("chg_1").present.token == ""
    assert TOKEN not in json.dumps(store.rows("charges"), default=str)


def test_an_unknown_charge_is_not_found():
    """XX-05."""
    with pytest.raises(NotFound):
        charge_rows.load("chg_nobody")


# ------------------------------------------------------------------------------------------------------------ the start


def test_a_charge_begins_with_its_hold_and_is_counted_on_its_card(card, store):
    """CB-21, L-11: intent, hold and count are one transaction; nothing is posted yet."""
    start()
    assert balance() == Balance(-1_250, 1_250)
    hold = fetch(ledger_rows.hold("hld_chg_1"))
    assert (hold.state, hold.account, hold.amount, hold.about) == ("pending", ACCOUNT, 1_250, "chg_1")
    assert hold.expires_at is None
    later = BOUND + 9_999 * DAY
    assert not list(due(ledger_rows.HoldRow, "holds", later))
    assert card_lives.head("crd_1").charges == 1
    books_balance(store)


@pytest.mark.parametrize("life", [card_lives.REMOVED[:11], card_lives.REMOVED[:15], card_lives.LATE])
def test_no_charge_begins_on_a_card_that_is_not_active(life, store):
    """CB-10, L-7: the card's condition fails the whole commit; there is no hold, no intent and no message."""
    card_lives.lived(life, "crd_1")
    with pytest.raises(Stale):
        start()
    assert (store.rows("charges"), store.rows("ledger")) == ([], [])


def test_a_charge_begins_once(card):
    """CB-21: under its own id, and under its hold's."""
    start()
    for charge_id in ("chg_1", "chg_2"):
        with pytest.raises(Stale):
            start(charge_id, hold="hld_chg_1")
    assert (balance().held, card_lives.head("crd_1").charges) == (1_250, 1)


def test_a_refund_holds_nothing_and_needs_no_active_card(store):
    """VB-20: its money left the card's account long ago; the card may be removed."""
    card_lives.lived(card_lives.REMOVED, "crd_1")
    start(purpose="refund", of="pay_1")
    assert (store.rows("ledger"), card_lives.head("crd_1").charges) == ([], 0)


# -------------------------------------------------------------------------------------------------------------- the end


def test_a_settled_charge_posts_its_hold_by_one_transfer(card, store):
    """CB-21, L-11: the bank's debt is the card's account below zero, and the money is where it was meant to be."""
    charge = start()
    assert resolve(charge, Settled(at=BOUND + 1, reference="pay_1"), paid(charge)).state == "settled"
    assert balance() == Balance(-1_250, 0)
    assert fetch(ledger_rows.balance(WALLET)).posted == 1_250
    hold = fetch(ledger_rows.hold("hld_chg_1"))
    assert (hold.state, hold.posted) == ("posted", 1_250)
    assert card_lives.head("crd_1").charges == 0
    books_balance(store)


def test_a_declined_charge_leaves_the_books_as_they_were(card, store):
    """CB-21, L-11: the hold is voided, no transfer exists, the card is free to be removed."""
    resolve(start(), Declined(at=BOUND + 1, reason="no_funds"))
    assert balance() == Balance(0, 0)
    assert fetch(ledger_rows.hold("hld_chg_1")).state == "voided"
    assert fetch(ledger_rows.transfer("trf_chg_1")) is None
    card_lives.put(card_lives.card_rows.load("crd_1").present, Removed(at=BOUND))
    books_balance(store)


def test_of_many_ends_of_one_charge_exactly_one_is_committed(card, store):
    """L-4, L-12: settled and declined at once: one of them, with its money, and every other one is stale."""
    charge = start()

    def attempt(number: int) -> str:
        change = Declined(at=BOUND, reason="no_funds") if number % 2 else Settled(at=BOUND, reference="pay_1")
        try:
            return resolve(charge, change, None if number % 2 else paid(charge)).state
        except Stale:
            return "stale"

    with ThreadPoolExecutor(16) as pool:
        ends = list(pool.map(attempt, range(16)))
    assert ends.count("stale") == 15
    state = charge_rows.load("chg_1").present.state
    assert state in ends
    assert fetch(ledger_rows.balance(WALLET)).posted == (1_250 if state == "settled" else 0)
    assert card_lives.head("crd_1").charges == 0
    assert balance().held == 0
    books_balance(store)


@pytest.mark.parametrize("taken", [True, False])
def test_a_refund_ends_with_or_without_a_transfer_and_counts_on_no_card(store, taken):
    """VB-20: the bank took it; or it did not, and the money goes to the owner's wallet instead."""
    charge = start(purpose="refund", of="pay_1")
    if taken:
        resolve(charge, Settled(at=BOUND, reference="pay_2"))
    else:
        resolve(charge, Declined(at=BOUND, reason="closed"), paid(charge))
    assert fetch(ledger_rows.balance(WALLET)).posted == (0 if taken else 1_250)
    assert charge_rows.load("chg_1").present.state == ("settled" if taken else "declined")


# -------------------------------------------------------------------------------------------------------------- indexes


def test_a_charge_is_due_two_hours_after_its_start_exactly_while_it_is_settling(card):
    """XX-04: at the very instant and not before; over, it is gone from the index."""
    charge = start()
    assert (due_now(BOUND + 2 * HOUR - 1), due_now(BOUND + 2 * HOUR)) == ([], ["chg_1"])
    resolve(charge, Declined(at=BOUND, reason="no_funds"))
    assert due_now(BOUND + 1000 * DAY) == []


@pytest.mark.parametrize(
    ("life", "kind", "state", "reference"),
    [
        (LATER["disputed"][:2], "charge", "settled", "pay_3"),
        (LATER["disputed"][:3], "charge", "settled", "pay_3"),
        (LATER["failed"][:2], "refund", "settled", "pay_4"),
        (LATER["failed"], "refund", "failed", "pay_4"),
    ],
    ids=["settled", "disputed", "refunded", "failed"],
)
def test_a_line_of_ours_is_what_the_bank_should_list(card, life, kind, state, reference):
    """CB-21, L-14: a disputed charge was made, and its bank lists it; a refund that failed it lists no more."""
    lived("chg_1", life)
    lines = list(charge_rows.lines_of("sandbox", ["chg_1"]))
    assert lines == [Line("chg_1", 1_250, "USD", state, BOUND, kind, reference)]


def test_a_day_s_charges_are_listed_whole_bank_by_bank(card):
    """CB-21: every shard of the UTC day, whatever became of a charge, and no other day's or bank's."""
    midnight = BOUND - BOUND % DAY
    moments = {
        "chg_before": midnight - 1,
        "chg_first": midnight,
        "chg_last": midnight + DAY - 1,
        "chg_after": midnight + DAY,
    }
    for charge_id, at in moments.items():
        start(charge_id, at=at)
    start("chg_other", bank="stripe")
    for number in range(30):
        start(f"chg_{number:02d}", at=midnight + number)
    resolve(charge_rows.load("chg_00").present, Declined(at=BOUND, reason="no_funds"))
    begun = list(charge_rows.begun_on(BOUND))
    lines = list(charge_rows.lines_of("sandbox", begun))
    assert {line.key for line in lines} == {"chg_first", "chg_last", *(f"chg_{number:02d}" for number in range(30))}
    assert len(lines) == 32
    assert {line.key: line.state for line in lines}["chg_00"] == "declined"
    assert [line.key for line in charge_rows.lines_of("stripe", begun)] == ["chg_other"]
    assert list(charge_rows.lines_of("sandbox", ["chg_of_nobody", "", "by hand"])) == []


def test_a_day_s_parts_are_the_day(card):
    """Issue 7 A5: each charge is in one of 64 parts, by its id alone, and each part is read from one shard."""
    charges_ = {f"chg_{number}" for number in range(150)}
    for charge_id in charges_:
        start(charge_id)
    parts = [list(charge_rows.begun_on(BOUND, part)) for part in range(64)]
    assert sorted(one for part in parts for one in part) == sorted(charges_)
    assert all(comparisons.part_of(one) == number for number, part in enumerate(parts) for one in part)


def test_a_day_is_spread_over_eight_shards(card, store):
    """XX-04: no day's charges meet on one partition."""
    for number in range(40):
        start(f"chg_{number}")
    days = {row["day_shard"]["S"] for row in store.rows("charges") if row["sk"]["S"] == "#"}
    assert days == {f"2026-11-23#{shard}" for shard in range(8)}


# --------------------------------------------------------------------------------------------------------- what follows


@pytest.mark.parametrize(
    ("purpose", "change", "told"),
    [
        ("top_up", Settled(at=BOUND + 1, reference="pay_1"), ["top_up.started", "top_up.settled"]),
        ("top_up", Declined(at=BOUND + 1, reason="no_funds"), ["top_up.started", "top_up.declined"]),
        ("bill", Declined(at=BOUND + 1, reason="no_funds"), []),
        ("refund", Settled(at=BOUND + 1, reference="pay_1"), ["bill.refund_paid"]),
        ("refund", Declined(at=BOUND + 1, reason="no_funds"), ["bill.refund_credited"]),
    ],
)
def test_a_start_has_the_bank_asked_and_the_owner_hears_what_the_bill_does_not_tell(card, store, purpose, change, told):
    """XX-03, CB-18: one message, by the charge's id alone; no event carries the token or the bank's reason."""
    charge = start(purpose=purpose, about="" if purpose == "top_up" else "bil_1")
    resolve(charge, change, paid(charge) if purpose == "top_up" and isinstance(change, Settled) else None)
    rows = sorted(store.rows("charges"), key=lambda row: row["sk"]["S"])
    assert [charge_stream.messages(row) for row in rows] == [[], [("charges", "chg_1")], []]
    events = [event for row in rows for event in charge_stream.events_of(row)]
    assert [event.kind for event in events] == told
    for event in events:
        assert not {TOKEN, "no_funds", "pay_1"} & set(repr(event).replace("'", " ").split())


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("disputed", {1: ("top_up.started", "settling"), 2: ("top_up.settled", "settled")}),
        ("failed", {2: ("bill.refund_paid", "settled"), 3: ("bill.refund_credited", "failed")}),
    ],
)
def test_a_dispute_is_told_to_no_customer_and_a_refund_that_failed_is(card, store, name, expected):
    """XX-03, CB-21: whose money the bank took is operations' affair; an event names its change, charge or bill, card and money."""
    life = LATER[name]
    charge = lived("chg_1", life)
    rows = sorted((row for row in store.rows("charges") if row["sk"]["S"] != "#"), key=lambda row: row["sk"]["S"])
    amount = {"amount": 1_250, "currency": "USD"}
    for revision, row in enumerate(rows, 1):
        kind, state = expected.get(revision, ("", ""))
        facts = {"state": state, "card": "crd_1", "amount": amount}
        about, at = charge.about or "chg_1", life[revision - 1].at
        told = [Event(f"chg_1/{revision:08d}", "usr_1", kind, about, at, facts)]
        assert charge_stream.events_of(row) == (told if kind else []), revision
