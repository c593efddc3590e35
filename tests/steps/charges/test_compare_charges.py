"""Comparing a bank's day a piece at a time: what ends a piece, and what becomes of messages that come again."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest
import time_machine

from billfold import charges, clock
from billfold.charges import comparison_rows
from billfold.charges.comparisons import LISTS_FOR, Comparison
from billfold.tables.rows import write_all
from sandbox_bank import rows as bank_rows
from sandbox_bank.payments import PAGE
from tests.cloud import delivery
from tests.cloud.local_http import Answer, LocalServer, Received
from tests.steps.charges.test_reconcile_charges import NOBODY
from tests.world import STEPS

FAILED = {"batchItemFailures": [{"itemIdentifier": "message-0"}]}


@pytest.fixture(autouse=True)
def no_other_charges(store):
    """A comparison is of everybody's charges."""
    store.empty(streams=True)


def yesterdays() -> Comparison:
    return Comparison("sandbox", charges.days_to_compare(clock.now())[-1], clock.now())


def hand_over(message: str, before: int = 0) -> dict:
    return STEPS["compare_charges"].handler(delivery.sqs_event([message], before=before), None)


def pay(comparison: Comparison, count: int) -> None:
    """Payments that the bank made and nobody here knows of, a second after another."""
    since = comparison.day.since
    rows = [
        bank_rows.PaymentRow(
            bank_rows.PAYMENTS,
            f"pay_{since + 1_000 * number:012x}{number:020x}",
            kind="charge",
            key=f"by hand {number}",
            amount=5,
            currency="USD",
            at=since + 1_000 * number,
        )
        for number in range(count)
    ]
    write_all(rows)


def pieces(comparison: Comparison) -> Iterator[Comparison]:
    """The comparison after each of its pieces, as the stream has them done one after another, until it is reported."""
    for number in range(100):
        message = Comparison(comparison.bank, comparison.day, comparison.begun_at, number).message
        if not comparison_rows.load(message):
            return
        assert hand_over(message) == {"batchItemFailures": []}
        if there := comparison_rows.load(message.replace(f" {number}", f" {number + 1}")):
            yield there


def report(store) -> dict:
    (found,) = [row for row in store.rows("charges") if row["sk"]["S"] == "sandbox"]
    return {name: json.loads(next(iter(found[name].values()))) for name in ("compared", "found", "differences")}


@contextmanager
def slow(bank, seconds: float, silent_after: int = 1_000) -> Iterator[list[str]]:
    """The bank takes so long for a page, by everybody's clock, and answers so many; the cursors that it was asked with."""
    asked: list[str] = []
    with time_machine.travel(datetime.now(UTC), tick=True) as traveller:

        def answer(received: Received) -> Answer:
            if len(asked) == silent_after:
                return None
            asked.append(received.query["cursor"])
            traveller.shift(seconds)
            return bank.answer(received)

        with LocalServer(answer) as server, pytest.MonkeyPatch.context() as pointed:
            pointed.setenv("BILLFOLD_SANDBOX_BANK_ADDRESS", server.address)
            yield asked


@pytest.mark.parametrize("seconds", [0.5, 3, 9, 100])
def test_a_piece_lists_for_eight_seconds_and_one_page_at_least(store, cards, seconds):
    """Issue 7 A5: however slow the bank, a function of 20 s has begun no page late, and the list goes on where it was."""
    comparison = yesterdays()
    pay(comparison, 4 * PAGE + 7)
    with slow(cards.bank, seconds) as asked:
        lengths = [len(asked) for _ in pieces(comparison)]
    a_piece = max(1, -(-LISTS_FOR // int(seconds * 1_000)))
    listing = list(range(a_piece, 5, a_piece)) if a_piece < 5 else []
    assert lengths[: len(listing)] == listing
    assert len(asked) == len(set(asked)) == 5
    assert (report(store)["found"], report(store)["compared"]) == (4 * PAGE + 7, 0)
    assert len(report(store)["differences"]) == 200


def test_a_bank_that_falls_silent_is_asked_on_from_there(store, cards):
    """CB-21, issue 7 A5: what was listed before is kept, and the message that meets the silence waits."""
    comparison = yesterdays()
    pay(comparison, 3 * PAGE + 1)
    with slow(cards.bank, 0, silent_after=2) as asked:
        assert hand_over(comparison.message) == {"batchItemFailures": []}
        there = comparison_rows.load(f"{comparison.name} 1")
        assert there.state == "listing"
        for before in range(charges.MAX_ASKS):
            assert hand_over(there.message, before) == FAILED
    assert comparison_rows.load(there.message) == there
    assert len(list(pieces(comparison))) == 0, "the first piece is done"
    with slow(cards.bank, 0) as asked:
        assert hand_over(there.message) == {"batchItemFailures": []}
    assert asked[0] == there.cursor
    assert len(asked) == 2


def test_a_bank_that_is_silent_for_an_hour_makes_a_dead_letter(cards, monkeypatch, caplog):
    """CB-21: until then nothing fails; then operations hear of it, and the day has no report, so the next begins anew."""
    comparison = yesterdays()
    monkeypatch.setenv("BILLFOLD_SANDBOX_BANK_ADDRESS", NOBODY)
    for before in range(charges.MAX_ASKS):
        assert hand_over(comparison.message, before) == FAILED
        assert logged(caplog) == ("unknown, asked again later", False)
    assert hand_over(comparison.message, charges.MAX_ASKS) == FAILED
    assert logged(caplog) == ("", True)
    assert comparison_rows.reported([comparison]) == set()
    assert comparison_rows.load(comparison.message) == comparison


def logged(caplog) -> tuple[str, bool]:
    """What the last line says: the outcome, and whether it counts as a fault."""
    last = caplog.records[-1]
    return getattr(last, "outcome", ""), last.levelname == "ERROR"


def test_what_comes_again_or_late_changes_nothing(store, cards):
    """Issue 7 A5: every message of a comparison once more when all is done, in either order, and those of an earlier one."""
    comparison = yesterdays()
    earlier = Comparison(comparison.bank, comparison.day, comparison.begun_at - 1)
    pay(comparison, 3 * PAGE)
    with slow(cards.bank, 9):
        assert hand_over(earlier.message) == {"batchItemFailures": []}
        done = list(pieces(comparison))
    before = sorted(json.dumps(row, sort_keys=True) for row in store.rows("charges"))
    messages = [one.message for one in (comparison, *done, earlier)] + [f"{earlier.name} 1"]
    for message in (*messages, *reversed(messages)):
        assert hand_over(message) == {"batchItemFailures": []}
    assert sorted(json.dumps(row, sort_keys=True) for row in store.rows("charges")) == before


def test_a_charge_that_began_before_midnight_is_known_on_the_day_the_bank_made_it(store, cards, later):
    """CB-21: neither day calls it unknown; only the day on which it began compares it."""
    at = clock.now() - clock.now() % charges.DAY + 2 * charges.DAY
    with time_machine.travel(datetime.fromtimestamp((at - 2_000) / 1_000, UTC), tick=True):
        person, card = cards.active()
        charge = cards.top_up(person, card).body["id"]
    with time_machine.travel(datetime.fromtimestamp((at + 2_000) / 1_000, UTC), tick=True):
        STEPS["settle_charge"].handler(delivery.sqs_event([charge]), None)
    with time_machine.travel(datetime.fromtimestamp((at + 26 * clock.HOUR) / 1_000, UTC), tick=True):
        before, after = charges.days_to_compare(clock.now())[-2:]
        for day in (before, after):
            hand_over(Comparison("sandbox", day, clock.now()).message)
    counts = {
        row["pk"]["S"]: (row["compared"]["N"], row["found"]["N"]) for row in store.rows("charges") if "found" in row
    }
    assert counts == {f"rec_{before.name}": ("1", "0"), f"rec_{after.name}": ("0", "0")}
