"""A day of 3,000 charges (100,000 before a release), compared page by page and part by part; all that is delivered comes twice."""

import json
import os
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from billfold import charges, clock
from billfold.charges import Day
from billfold.charges.charge_rows import HeadRow
from billfold.charges.comparisons import MOST_LINES, PARTS, Comparison
from billfold.clock import HOUR, SECOND
from billfold.tables import rows
from billfold.tables.rows import DUE_SHARDS
from infra.plan import stages, steps
from sandbox_bank import rows as bank_rows
from tests.cloud import delivery
from tests.cloud import queues as made_queues
from tests.cloud.engine import Engine
from tests.world import STEPS, card_world
from tests.world.card_world import CardWorld

MANY = int(os.environ.get("BILLFOLD_COMPARED_CHARGES", "3000"))
# So many of each kind of difference, spread over the day.
SEEDED = 8
AMOUNT = 1_250


@pytest.fixture
def cards(store: Engine, queues: Any) -> Iterator[CardWorld]:
    # Without streams, because the engine slows with each record.
    store.empty()
    with card_world.running(store, queues) as running:
        yield running
    # What looks at whole tables later in this process wants them small.
    store.empty()


def head(number: int, at: int, **changed: Any) -> HeadRow:
    """A charge of ours that settled."""
    charge_id = f"chg_{number:032x}"
    told: dict[str, Any] = {
        "owner": "usr_1",
        "state": "settled",
        "revision": 2,
        "amount": AMOUNT,
        "currency": "USD",
        "purpose": "top_up",
        "bank": "sandbox",
        "started_at": at,
        "reference": reference(number, at),
        "day_shard": f"{clock.to_text(at)[:10]}#{sum(charge_id.encode()) % DUE_SHARDS}",
    }
    return HeadRow(charge_id, HeadRow.SORT, **(told | changed))


def reference(number: int, at: int) -> str:
    return f"pay_{at:012x}{number:020x}"


def payment(number: int, at: int, *, key: str = "", amount: int = AMOUNT, twin: int = 0) -> bank_rows.PaymentRow:
    """A charge that the bank made."""
    return bank_rows.PaymentRow(
        bank_rows.PAYMENTS,
        reference(number + twin, at),
        kind="charge",
        key=key or f"chg_{number:032x}",
        amount=amount,
        currency="USD",
        at=at,
    )


def lay_out(day: Day) -> dict[str, set[str]]:
    """The two lists of a day; the keys of each kind of difference."""
    every, apart = MANY // SEEDED, day.until - day.since - 2 * SECOND
    ours, theirs, seeded = (
        [],
        [],
        {"missing_here": set(), "missing_there": set(), "amount": set(), "repeated": set(), "state": set()},
    )
    kinds = list(seeded)
    for number in range(MANY):
        at = day.since + SECOND + number * apart // MANY
        kind = kinds[number % every] if number % every < len(kinds) and number // every < SEEDED else ""
        if kind:
            seeded[kind].add(f"chg_{number:032x}")
        if kind != "missing_here":
            changed = {"state": "settling", "reference": ""} if kind == "state" else {}
            ours.append(head(number, at, **changed))
        if kind != "missing_there":
            theirs.append(payment(number, at, amount=AMOUNT + (kind == "amount")))
        if kind == "repeated":
            theirs.append(payment(number, at, twin=10 * MANY))
    # What lies at either midnight is of another day, here or there.
    for number, here, there in ((MANY, day.since - 1, day.since + 1), (MANY + 1, day.until - 1, day.until + 1)):
        ours.append(head(number, here, reference=reference(number, there)))
        theirs.append(payment(number, there))
    rows.write_all(ours)
    rows.write_all(theirs)
    return seeded


def follow(cards: CardWorld, message: str) -> tuple[Counter[str], float]:
    """What follows from a comparison's first message, all of it twice: how often a piece came to what, and the longest it took."""
    outcomes, longest, waiting = Counter[str](), 0.0, [message]
    while waiting:
        for body in waiting:
            for _ in range(2):
                began = time.process_time()
                answer = STEPS["compare_charges"].handler(delivery.sqs_event([body]), None)
                longest = max(longest, time.process_time() - began)
                assert answer == {"batchItemFailures": []}, body
                outcomes[body] += 1
        for body in waiting:
            for _ in range(2):
                STEPS["forward_charge_changes"].handler({"Records": inserted(cards.engine, body)}, None)
        waiting = sorted(set(made_queues.bodies(cards.queues, "comparisons")))
    return outcomes, longest


def inserted(engine: Engine, done: str) -> list[dict[str, Any]]:
    """What the table's stream tells of the piece that this message had done; nothing of the last, whose report goes elsewhere."""
    name, pieces = done.split()
    keys = {"pk": {"S": f"rec_{name}"}, "sk": {"S": f"after {int(pieces) + 1:08d}"}}
    found = engine.client.get_item(TableName="billfold-charges", Key=keys)
    change = {"Keys": keys, "NewImage": found.get("Item")}
    told = {"eventName": "INSERT", "eventSourceARN": delivery.source("charges"), "dynamodb": change}
    return [told] if "Item" in found else []


def test_a_long_day_is_compared_in_pieces_and_each_difference_is_told_once(cards, capsys):
    """CB-21, issue 7 A5: the report is what one comparison of both lists would say; no piece is long, and none is done twice."""
    day = charges.days_to_compare(clock.now())[-1]
    seeded = lay_out(day)
    comparison = Comparison("sandbox", day, day.until + 2 * HOUR)
    outcomes, longest = follow(cards, comparison.message)
    (report,) = [row for row in cards.engine.rows("charges") if row["pk"]["S"] == f"rec_{day.name}"]
    differences = json.loads(report["differences"]["S"])
    found = {kind: {one["key"] for one in differences if one["kind"] == kind} for kind in seeded}
    assert found == seeded
    expected = len(seeded) * SEEDED
    assert (int(report["found"]["N"]), len(differences)) == (expected, expected)
    assert int(report["compared"]["N"]) == MANY - SEEDED + 1
    pages = -(-(MANY + 3) // MOST_LINES)
    assert set(outcomes.values()) == {2}, "no message gave rise to two"
    assert pages + PARTS <= len(outcomes) <= pages + PARTS + 1
    # Half of its function's time is for waiting for DynamoDB and the bank.
    (step,) = [one for one in steps.known() if one.name == "compare_charges"]
    assert longest < step.settings(stages.stage("production")).timeout_seconds / 2
    with capsys.disabled():
        if "BILLFOLD_COMPARED_CHARGES" in os.environ:
            print(f"\n{MANY:,} charges: {len(outcomes)} pieces, the longest {longest:.2f} s of CPU")
