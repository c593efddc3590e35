"""Races for bills on a real engine: taps, closing, expiry, disputes, verification and refunds all at once; one winner each."""

import json
import os
import time
import uuid
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from types import SimpleNamespace
from typing import Any, TypeVar

import pytest

from billfold import aws, clock
from billfold.bills import bill_rows
from billfold.bills.bill_changes import Closed, ItemDisputed, ItemsAdded, Refunded, Settled, Unpaid
from billfold.ledger import ledger_rows
from billfold.tables.commits import Commit
from billfold.tables.journals import Journal
from billfold.tables.rows import due_shard, fetch
from infra.plan.tables import TABLES, definition
from tests import world
from tests.cloud.delivery import sqs_event
from tests.cloud.engine import Engine
from tests.proof.racing import bill_opened, books_balance, codes, handled, race, soon, stubborn, whole
from tests.world import Person, Response, Seller, fund, joined, sales, seller, wallet

MINUTE = 60_000
# The issue says 10,000; a smaller number is for trying things out.
# `make proof` takes ten thousand.
MANY = int(os.environ.get("BILLFOLD_DUE_BILLS", "2000"))
T = TypeVar("T")


def dispute(person: Person, bill: str, item: str, **options: Any) -> Response:
    return world.call("POST", f"/v1/bills/{bill}/items/{item}/dispute", person, **options)


def of(journal: Journal, kind: type) -> list[Any]:
    return [change for change in journal.changes if isinstance(change, kind)]


def tapped(person: Person, bill: str, shop: Seller, amounts: list[int]) -> list[str]:
    """Items landed in a bill, one by one from the first till."""
    items = [shop.tills[0].item(bill, [("tea", 1, amount)]) for amount in amounts]
    results = world.tap(person, bill, items).body["results"]
    return [result["item"] for result in results]


# -------------------------------------------------------------------------------------------------------------- opening


def test_a_hundred_requests_open_one_bill_on_one_phone(store):
    """VB-04: one is new, ninety-nine are told of it."""
    alice = joined()
    body = {"device": alice.phone.device_id, "currency": "USD"}
    answers = race([stubborn(world.call, "POST", "/v1/bills", alice, body) for _ in range(100)])
    assert codes(answers) == {"201": 1, "200": 99}
    assert len({answer.body["id"] for answer in answers}) == 1
    assert len({row["pk"]["S"] for row in store.rows("bills")}) == 1


# ------------------------------------------------------------------------------------ taps, closing, expiry and disputes


@pytest.mark.parametrize("expires", [True, False])
def test_taps_closing_expiry_and_a_dispute_at_once_leave_one_true_bill(store, expires):
    """VB-05, VB-08, VB-11 to VB-13: what was answered "added" is in the bill once, what was refused is not, and it ended once."""
    alice, shop = joined(), seller(terminals=7)
    bill_id = bill_opened(alice, ago=MINUTE, ends_in=1_500 if expires else 60 * MINUTE).bill_id
    first, _ = tapped(alice, bill_id, shop, [100, 1])
    if expires:
        time.sleep(max(0, (bill_rows.load(bill_id).present.expires_at - clock.now()) / 1_000 - 0.1))

    batches = [[till.item(bill_id, [("tea", 1, 10 + n)]) for _ in range(2)] for n, till in enumerate(shop.tills[1:])]
    taps = [soon(stubborn(world.tap, alice, bill_id, batch), 0.3) for batch in batches]
    closes = [soon(stubborn(world.close, alice, bill_id), 0.3) for _ in range(3)]
    disputes = [soon(stubborn(dispute, alice, bill_id, first), 0.3) for _ in range(3)]
    ends = [soon(handled("end_bills", bill_id), 0.3) for _ in range(4)]
    results = race([*taps, *closes, *disputes, *ends])
    assert handled("end_bills", bill_id)()

    journal = whole(store, bill_id)
    bill, closed = journal.present, of(journal, Closed)
    assert len(closed) == 1
    _taps_were_answered_truly(results[:6], bill.items)
    # In the order of commits: a change's instant is when its request arrived, which can be the other way round.
    later = journal.changes[journal.changes.index(closed[0]) :] if closed else ()
    after_end = [change for change in later if isinstance(change, ItemsAdded) and change.items]
    assert not (after_end and closed[0].by_user), "VB-08: closed by its user, a bill takes no late tap"
    assert all(change.late for change in after_end)
    by_user = sum(change.by_user for change in closed)
    assert codes(results[6:9]) == Counter({"200": by_user, "bill_state_conflict": 3 - by_user})
    assert codes(results[9:12]) == {"200": 1, "item_state_conflict": 2}
    assert len(of(journal, ItemDisputed)) == 1
    assert all(results[12:])
    assert store.rows("ledger") == [], "no money moves before a verification"


def _taps_were_answered_truly(answers: list[Response], items: Any) -> None:
    landed = [item.item_id for item in items]
    for answer in answers:
        assert answer.status == 200, answer
        for result in answer.body["results"]:
            if result["outcome"] == "added":
                assert landed.count(result["item"]) == 1
            else:
                assert result["problem"]["code"] == "bill_closed"
    added = sum(result["outcome"] == "added" for answer in answers for result in answer.body["results"])
    assert len(landed) == 2 + added


# --------------------------------------------------------------------------------------------------------- verification


@pytest.mark.parametrize("one_key", [True, False], ids=["one key", "200 keys"])
def test_two_hundred_verifications_of_one_bill_are_one_transfer(store, one_key):
    """VB-17, LG-04: one debit, one credit; under one key all hear of success, under many the others that it is settled."""
    alice, shop = joined(), seller()
    fund(alice, 1_000)
    bill = world.to_verify(alice, (shop.tills[0], 300), (shop.tills[1], 50))
    key = str(uuid.uuid4())
    named = bill["verification"]["list_hash"]
    jobs = [stubborn(world.verify, alice, bill["id"], named, key=key if one_key else "") for _ in range(200)]
    answers = race(jobs)
    assert codes(answers) == ({"200": 200} if one_key else {"200": 1, "bill_state_conflict": 199})
    assert len({str(answer.body) for answer in answers if answer.status == 200}) == 1
    journal = whole(store, bill["id"])
    assert len(of(journal, Settled)) == 1
    assert (wallet(alice), sales(shop)) == (650, 350)
    assert sum(row["sk"]["S"] == "transfer" for row in store.rows("ledger")) == 2  # the top-up and the settlement
    books_balance(store)


def test_late_taps_and_a_dispute_against_verification_pay_exactly_what_was_verified(store):
    """VB-08, VB-14: whatever list wins, it is the one that the user named, and the transfer is its sum."""
    for _ in range(3):
        _verify_against_taps(store)


def _verify_against_taps(store: Engine) -> None:
    alice, shop = joined(), seller(terminals=4)
    fund(alice, 1_000)
    bill_id = bill_opened(alice, ago=MINUTE, ends_in=400).bill_id
    before = tapped(alice, bill_id, shop, [100, 30])
    late = [[till.item(bill_id, [("tea", 1, 7)])] for till in shop.tills[1:]]
    time.sleep(0.4)
    assert handled("end_bills", bill_id)()
    named = bill_rows.load(bill_id).present.list_hash()
    verifies = [soon(stubborn(world.verify, alice, bill_id, named), 0.1) for _ in range(5)]
    taps = [soon(stubborn(world.tap, alice, bill_id, items), 0.1) for items in late]
    disputes = [soon(stubborn(dispute, alice, bill_id, before[0]), 0.1) for _ in range(2)]
    answers = race([*verifies, *taps, *disputes])
    journal = whole(store, bill_id)
    if journal.present.state == "verifying":
        assert codes(answers[:5]) == {"list_changed": 5}
        assert world.verify(alice, bill_id, journal.present.list_hash()).status == 200
        journal = whole(store, bill_id)
    [settled] = of(journal, Settled)
    assert settled.list_hash == journal.present.list_hash()
    _taps_were_answered_after(answers[5:8], set(before), journal.present.items)
    transfer = fetch(ledger_rows.transfer(settled.transfer_id))
    assert transfer is not None
    assert transfer.total == journal.present.total.amount == sales(shop) == 1_000 - wallet(alice)
    books_balance(store)


def _taps_were_answered_after(answers: list[Response], tapped_before: set[str], items: Any) -> None:
    paid = {item.item_id for item in items if item.state == "settled"}
    results = [result for answer in answers for result in answer.body["results"]]
    added = {result["item"] for result in results if result["outcome"] == "added"}
    assert paid == {item.item_id for item in items if item.state != "disputed"}
    assert {item.item_id for item in items} == tapped_before | added
    refused = [result["problem"]["code"] for result in results if result["outcome"] != "added"]
    assert refused == ["bill_closed"] * (len(answers) - len(added))


def test_verification_against_its_deadline_pays_or_gives_up_and_never_both(store):
    """VB-16, VB-17: around the very instant, the bill is settled and paid or unpaid and not."""
    for _ in range(6):
        alice, shop = joined(), seller(terminals=1)
        fund(alice, 100)
        bill = bill_opened(alice, ago=40 * MINUTE, ends_in=60 * MINUTE)
        tapped(alice, bill.bill_id, shop, [60])
        bill = bill_rows.load(bill.bill_id).present
        commit = Commit(str(uuid.uuid4()))
        bill = bill_rows.add_change(commit, bill, Closed(at=clock.now() - 30 * MINUTE + 150, by_user=True))
        commit.send()
        verifies = [soon(stubborn(world.verify, alice, bill.bill_id, bill.list_hash()), 0.3) for _ in range(4)]
        answers = race([*verifies, *[soon(handled("end_bills", bill.bill_id), 0.3) for _ in range(4)]])
        time.sleep(0.1)
        assert handled("end_bills", bill.bill_id)()
        journal = whole(store, bill.bill_id)
        paid = journal.present.state == "settled"
        assert (len(of(journal, Settled)), len(of(journal, Unpaid))) == (int(paid), int(not paid))
        assert wallet(alice) == (40 if paid else 100)
        assert journal.present.state == ("settled" if paid else "unpaid")
        seen = codes(answers[:4])
        # Too late is told as what the deadline's sweep has made of the bill by then, or by the clock alone.
        late = seen.pop("verification_expired", 0)
        assert seen == Counter({"200": int(paid), "bill_state_conflict": 4 - int(paid) - late})
    books_balance(store)


# -------------------------------------------------------------------------------------------------------------- refunds


def test_an_item_refunded_by_many_at_once_is_refunded_once(store):
    """VB-20: overlapping refunds of three items, each item's money goes back one time."""
    alice, shop = joined(), seller()
    fund(alice, 1_000)
    bill = world.settled(alice, (shop.tills[0], 100), (shop.tills[0], 20), (shop.tills[1], 3))
    names = [item["id"] for item in bill["items"]]
    wanted = [names[:1], names[1:2], names[2:], names[:2], names[1:], names] * 4
    jobs = [stubborn(world.refund, shop.admin, bill["id"], chosen) for chosen in wanted]
    answers = race(jobs)
    journal = whole(store, bill["id"])
    refunds = of(journal, Refunded)
    assert codes(answers) == {"201": len(refunds), "item_state_conflict": len(jobs) - len(refunds)}
    # Each item was asked for alone as well, so none is left.
    assert sorted(name for change in refunds for name in change.items) == sorted(names)
    assert (journal.present.state, wallet(alice), sales(shop)) == ("refunded", 1_000, 0)
    books_balance(store)


# --------------------------------------------------------------------------------------------------------------- expiry


def batches(things: list[T], size: int) -> list[list[T]]:
    return [things[start : start + size] for start in range(0, len(things), size)]


def clone(store: Engine, template: str, number: int) -> list[str]:
    """So many copies of a bill under other ids, put as raw rows: opening them one by one would take the test's time."""
    rows = [row for row in store.rows("bills") if row["pk"]["S"] == template]
    names = [f"bil_{uuid.uuid4().hex}" for _ in range(number)]
    puts = []
    for name in names:
        for row in rows:
            due = {"due_shard": {"S": due_shard("bills", name)}} if "due_shard" in row else {}
            puts.append({"PutRequest": {"Item": row | {"pk": {"S": name}} | due}})
    for batch in batches(puts, 25):
        assert not store.client.batch_write_item(RequestItems={"billfold-bills": batch})["UnprocessedItems"]
    return names


def end_all(messages: list[str]) -> int:
    """A process that handles messages, ten a batch, as one of the step's containers would; says how many failed."""
    failed = 0
    for batch in batches(messages, 10):
        failed += len(world.STEPS["end_bills"].handler(sqs_event(batch), None)["batchItemFailures"])
    return failed


@pytest.fixture
def quiet_store():
    """An engine of its own whose tables have no streams: with them, each write costs it more than the last."""
    before = os.environ.get("AWS_ENDPOINT_URL_DYNAMODB")
    with Engine() as engine:
        for table in TABLES:
            engine.client.create_table(**definition(table, f"billfold-{table.name}"))
        os.environ["AWS_ENDPOINT_URL_DYNAMODB"] = engine.url
        yield engine
    os.environ.pop("AWS_ENDPOINT_URL_DYNAMODB")
    os.environ.update({"AWS_ENDPOINT_URL_DYNAMODB": before} if before else {})


@pytest.fixture
def sent(queues):
    """The bodies of all messages sent, taken at botocore's door: moto's queues are slow with so many."""
    bodies: list[str] = []

    def take(model: Any, params: dict[str, Any], **_: Any) -> Any:
        bodies.extend(entry["MessageBody"] for entry in json.loads(params["body"])["Entries"])
        return SimpleNamespace(status_code=200), {"Successful": []}

    events = aws.client("sqs").meta.events
    events.register("before-call.sqs.SendMessageBatch", take)
    yield bodies
    events.unregister("before-call.sqs.SendMessageBatch", take)


def test_thousands_of_bills_due_in_one_minute_are_all_handled_and_none_twice(sent, quiet_store):
    """Issue 2, XX-04: one look at the index finds all; two containers, some messages delivered to both, end each bill once."""
    alice, shop = joined(), seller(terminals=1)
    empty = bill_opened(alice, ago=MINUTE, ends_in=1_500)
    filled = bill_opened(alice, ago=MINUTE, ends_in=1_500)
    tapped(alice, filled.bill_id, shop, [100])
    names = {empty.bill_id, *clone(quiet_store, empty.bill_id, MANY // 2 - 1)}
    names |= {filled.bill_id, *clone(quiet_store, filled.bill_id, MANY // 2 - 1)}
    time.sleep(max(0, filled.expires_at - clock.now()) / 1_000)
    assert world.STEPS["find_due_bills"].handler({}, None) == {"found": MANY}
    assert len(sent) == MANY
    assert set(sent) == names

    twice = sent[MANY * 19 // 40 : MANY * 21 // 40]
    halves = [sent[: MANY // 2] + twice, twice + sent[MANY // 2 :]]
    # A process each, as Lambda's containers are: two threads would share one interpreter.
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        assert list(pool.map(end_all, halves)) == [0, 0]

    rows = quiet_store.rows("bills")
    closed = [row["pk"]["S"] for row in rows if row.get("kind") == {"S": "closed"}]
    assert len(closed) == MANY
    assert set(closed) == names
    states = [row["state"]["S"] for row in rows if row["sk"]["S"] == "#"]
    assert (states.count("expired_empty"), states.count("verifying")) == (MANY // 2, MANY // 2)
    assert world.STEPS["find_due_bills"].handler({}, None) == {"found": 0}
