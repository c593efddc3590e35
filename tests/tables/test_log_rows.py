"""Logs on a real engine: feeds and statements number their lines without gaps, once a change, whoever writes (L-9)."""

import random
import threading
import time
import uuid
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from billfold import ledger
from billfold.clock import SECOND
from billfold.errors import Invalid, Stale
from billfold.events import Event, event_rows
from billfold.ledger import statement_rows
from billfold.tables import log_rows
from tests.proof.wire import Wire
from tests.tables.scripts import metered

pytestmark = pytest.mark.usefixtures("store")

ALICE, BOB = ledger.wallet("usr_alice", "USD"), ledger.wallet("usr_bob", "USD")
WRITERS, LINES = 64, 2


RUN = [""]


@pytest.fixture(autouse=True)
def begin():
    """The engine remembers transactions' tokens when its tables are emptied: each run has transfers of its own."""
    RUN[0] = uuid.uuid4().hex


def transfer(number: int, at: int = 1_700_000_000_000) -> ledger.Transfer:
    legs = ledger.pay(ALICE, [(BOB, number)])
    return ledger.transfer(f"trf_{RUN[0]}{number}", legs, at=at, kind="transfer", reason="test", about="bil_1")


def event(number: int, audience: str = "usr_alice") -> Event:
    return Event(f"bil_{RUN[0]}/{number:08d}", audience, "bill.opened", "bil_1", number, {"n": number})


def until_written(account: str, transfers: list[ledger.Transfer]) -> None:
    """As stubborn as a queue: a message comes again until its step has done it."""
    while True:
        try:
            statement_rows.append(account, transfers)
            return
        except Stale:
            time.sleep(random.uniform(0, 0.01))


def amounts(account: ledger.Account, *, newest_first: bool = False, limit: int = 1000) -> list[int]:
    """A whole statement, page by page."""
    found, after = [], ""
    while page := statement_rows.page(account, after=after, newest_first=newest_first, limit=limit):
        found += [line.amount for line in page]
        after = page[-1].position
    return found


def numbers(table: str, store) -> dict[str, list[str]]:
    """Every log's numbers."""
    found = defaultdict(list)
    for row in store.rows(table):
        if row["sk"]["S"].isdigit():
            found[row["pk"]["S"]].append(row["sk"]["S"])
    return {log: sorted(keys) for log, keys in found.items()}


def gapless(keys: list[str]) -> bool:
    return keys == [f"{number:012d}" for number in range(1, len(keys) + 1)]


def test_a_reader_who_follows_sixty_four_writers_sees_every_line_once_in_either_order(store):
    """A3, LG-09: lines are written late and in any order of their instants; a number once passed is never filled in later."""
    jobs = [transfer(number, at=random.randrange(1, 10**12)) for number in range(1, WRITERS * LINES + 1)]
    random.shuffle(jobs)
    done, backwards, followed, after = threading.Event(), [], [], ""
    with ThreadPoolExecutor(WRITERS) as pool:
        writing = [pool.submit(until_written, BOB.name, [job]) for job in jobs]
        threading.Thread(target=lambda: ([one.result() for one in writing], done.set())).start()
        finished, page = False, []
        while page or not finished:
            finished = done.is_set()
            page = statement_rows.page(BOB, after=after, newest_first=False, limit=7)
            followed += [line.amount for line in page]
            after = page[-1].position if page else after
            backwards.append((len(followed), amounts(BOB, newest_first=True, limit=7)))
    assert sorted(followed) == sorted(job.total for job in jobs)
    # Read backwards, a statement is what was followed so far or a little more, without a line twice or left out.
    assert all(seen == followed[: len(seen)][::-1] and len(seen) >= read for read, seen in backwards)
    assert gapless(numbers("statements", store)[BOB.name])


def test_one_change_told_by_many_at_once_is_one_line(store):
    """XX-03, LG-04: two consumers of the same message, and of batches that overlap, can never give it a second number."""
    rounds = [[transfer(number) for number in range(first, first + 3)] for first in (1, 2, 3, 4) for _ in range(8)]
    random.shuffle(rounds)
    with ThreadPoolExecutor(32) as pool:
        list(pool.map(lambda batch: until_written(ALICE.name, batch), rounds))
    assert sorted(amounts(ALICE)) == [-6, -5, -4, -3, -2, -1]
    assert gapless(numbers("statements", store)[ALICE.name])


@pytest.mark.parametrize("call", [0, 1, 2], ids=["before it looks", "between its two reads", "before it commits"])
@pytest.mark.parametrize("others", [[1], [2], [2, 1], [1, 3]])
def test_another_writer_at_any_moment_leaves_every_change_one_line(store, call, others):
    """XX-03, LG-04: two consumers at once, one of which commits while the other is at each of its calls."""

    def meanwhile(client, action, arguments, send):
        statement_rows.append(BOB.name, [transfer(number) for number in others])
        return send()

    with Wire(meanwhile, at=call):
        until_written(BOB.name, [transfer(1)])
    assert sorted(amounts(BOB)) == sorted({1, *others})
    assert gapless(numbers("statements", store)[BOB.name])


@settings(max_examples=25, suppress_health_check=list(HealthCheck))
@given(
    st.lists(st.lists(st.tuples(st.integers(1, 9), st.sampled_from([ALICE, BOB])), min_size=1, max_size=5), max_size=8)
)
def test_a_statement_adds_up_to_the_legs_however_often_and_in_whatever_order_they_are_told(store, deliveries):
    """LG-09, L-9: the first delivery of each counts, and its line stays where it is."""
    store.empty()
    RUN[0] = uuid.uuid4().hex
    expected: dict[str, list[int]] = {ALICE.name: [], BOB.name: []}
    for batch in deliveries:
        for account in (ALICE, BOB):
            told = [transfer(number) for number, whose in batch if whose == account]
            statement_rows.append(account.name, told)
            sign = -1 if account == ALICE else 1
            expected[account.name] += [
                sign * number
                for number in dict.fromkeys(one.total for one in told)
                if sign * number not in expected[account.name]
            ]
    assert {account.name: amounts(account) for account in (ALICE, BOB)} == expected
    assert amounts(ALICE, newest_first=True, limit=2) == expected[ALICE.name][::-1]
    assert all(gapless(keys) for keys in numbers("statements", store).values())


def test_a_line_shows_its_transfer():
    """LG-09: what moved, when, why and about what; a transfer that does not touch the account is no line of it."""
    statement_rows.append(BOB.name, [transfer(5, at=7)])
    (line,) = statement_rows.page(BOB, after="", newest_first=True, limit=10)
    assert line == ledger.Entry("000000000001", f"trf_{RUN[0]}5", 7, 5, "transfer", "test", "bil_1")
    assert statement_rows.append("wallet/usr_carol/USD", [transfer(6)]) == 0
    assert statement_rows.append(BOB.name, []) == 0


@pytest.mark.parametrize("count", [1, 2, 10])
def test_a_line_costs_four_write_units_and_two_reads_a_batch(count):
    """A4: the line and what says that it was told, two units each in a transaction; it was six with a counter."""
    event_rows.append([event(100)], 0)
    with metered("TransactWriteItems") as written, metered("BatchGetItem") as known, metered("Query") as last:
        assert event_rows.append([event(number) for number in range(count)], 0) == count
        assert event_rows.append([event(number) for number in range(count)], 0) == 0
    assert written == [4 * count]
    assert (len(known), len(last)) == (2, 1)


def test_what_says_that_an_event_was_told_outlives_every_delivery_and_then_goes(store):
    """XX-03: a day of its stream, two weeks each of its queue and the dead letters; of a statement it stays for ever."""
    now = 1_700_000_000_000
    event_rows.append([event(1)], now)
    statement_rows.append(BOB.name, [transfer(1)])
    (told,) = [row for row in store.rows("events") if row["sk"]["S"] == "change"]
    assert int(told["expires_at"]["N"]) - now // SECOND >= (1 + 14 + 14) * 24 * 3600
    (kept,) = [row for row in store.rows("statements") if row["sk"]["S"] == "change"]
    assert "expires_at" not in kept


def test_a_feed_of_the_earlier_form_goes_on_where_it_was(store):
    """Stored rows stay readable: a head that counted the events, which nothing writes now, and what was told."""
    rows = [
        {"pk": "usr_alice", "sk": "#", "length": 2},
        {"pk": "usr_alice", "sk": "000000000001", "kind": "bill.opened", "about": "bil_1", "at": 1, "facts": '{"n":1}'},
        {
            "pk": "usr_alice",
            "sk": "000000000002",
            "kind": "bill.settled",
            "about": "bil_1",
            "at": 2,
            "facts": '{"n":2}',
        },
        {"pk": f"{event(2).change}/usr_alice", "sk": "change", "expires_at": 9},
    ]
    for row in rows:
        item = {name: {"N": str(part)} if isinstance(part, int) else {"S": part} for name, part in row.items()}
        store.client.put_item(TableName="billfold-events", Item=item)
    assert event_rows.append([event(2), event(3)], 0) == 1
    found = event_rows.page("usr_alice", after="", limit=10)
    assert [(row.sk, row.facts["n"]) for row in found] == [
        ("000000000001", 1),
        ("000000000002", 2),
        ("000000000003", 3),
    ]


def test_a_statement_of_the_earlier_form_disturbs_nobody(store):
    """Its lines had the instant for a key: they are not shown, and a new one is the first of the log."""
    old = {"pk": BOB.name, "sk": "1700000000000#trf_old"}
    item = {name: {"S": text} for name, text in old.items()} | {"amount": {"N": "5"}, "reason": {"S": "old"}}
    store.client.put_item(TableName="billfold-statements", Item=item)
    for newest_first in (False, True):
        assert statement_rows.page(BOB, after="", newest_first=newest_first, limit=10) == []
    statement_rows.append(BOB.name, [transfer(1), transfer(2)])
    assert amounts(BOB) == amounts(BOB, newest_first=True)[::-1] == [1, 2]
    with pytest.raises(Invalid):
        statement_rows.page(BOB, after=old["sk"], newest_first=False, limit=10)


@pytest.mark.parametrize("after", ["1", "#", "0" * 13, "00000000000x", "٠" * 12, "-00000000001"])
def test_a_position_is_a_number_as_lines_have_them(after):
    """Anything else begins nowhere, and must not begin anywhere."""
    with pytest.raises(Invalid):
        log_rows.page(event_rows.EventRow, "usr_alice", after=after, limit=1)
