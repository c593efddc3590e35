"""Many callers at once, each as stubborn as a real client, and what must hold of the ledger when they are done."""

import random
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from billfold import clock
from billfold.bills import Bill, bill_rows
from billfold.bills.bill_changes import Opened
from billfold.tables.commits import Commit
from billfold.tables.journals import Journal
from tests import world
from tests.cloud.delivery import sqs_event
from tests.cloud.engine import Engine
from tests.rules.bill_worlds import rebuild
from tests.world import Person, Response

T = TypeVar("T")
THREADS = 64
PATIENCE = 40


def race(jobs: Sequence[Callable[[], T]]) -> list[T]:
    """Run all jobs, up to 64 at a time, the first wave at the same instant; the results in the order of the jobs."""
    threads = min(len(jobs), THREADS)
    barrier = threading.Barrier(threads)
    with ThreadPoolExecutor(threads, initializer=barrier.wait) as pool:
        return [future.result() for future in [pool.submit(job) for job in jobs]]


def soon(job: Callable[[], T], within: float) -> Callable[[], T]:
    """The job, begun at a random moment within so many seconds."""

    def run() -> T:
        time.sleep(random.uniform(0, within))
        return job()

    return run


def stubborn(ask: Callable[..., Response], *arguments: Any, key: str = "", **options: Any) -> Callable[[], Response]:
    """A call that is repeated under its one key while it is answered "try again"; nothing else may be wrong with it."""
    key = key or str(uuid.uuid4())

    def run() -> Response:
        for _ in range(PATIENCE):
            answer = ask(*arguments, key=key, **options)
            assert answer.status < 500 or answer.status == 503, answer
            if answer.status != 503 and answer.code != "operation_running":
                return answer
        raise AssertionError(f"still {answer.code} after {PATIENCE} calls")

    return run


def handled(step: str, message: str) -> Callable[[], bool]:
    """A message delivered to a queue's step, again while it fails."""

    def run() -> bool:
        deliver, clean = world.STEPS[step].handler, {"batchItemFailures": []}
        return any(deliver(sqs_event([message]), None) == clean for _ in range(PATIENCE))

    return run


def codes(answers: Sequence[Response]) -> Counter[str]:
    """How often each answer was given: a refusal by its code, a success by its status."""
    return Counter(answer.code or str(answer.status) for answer in answers)


def books_balance(store: Engine) -> None:
    """L-1 and L-6 over every balance row: each currency sums to zero, and no wallet is below it."""
    sums: Counter[str] = Counter()
    for row in store.rows("ledger"):
        if len(row["sk"]["S"]) != 3:
            continue
        available, held = (int(row.get(name, {"N": "0"})["N"]) for name in ("available", "held"))
        sums[row["sk"]["S"]] += available + held
        assert held >= 0, row
        assert available >= 0 or not row["pk"]["S"].startswith("wallet/"), row
    assert sums, "no money was ever there"
    assert not any(sums.values()), sums


def bill_opened(person: Person, *, ago: int, ends_in: int, currency: str = "USD") -> Bill:
    """A bill on the person's phone that was opened some time ago; milliseconds."""
    now = clock.now()
    opening = Opened(
        at=now - ago,
        owner=person.user_id,
        device=person.phone.device_id,
        currency=currency,
        expires_at=now + ends_in,
        cap=None,
    )
    commit = Commit(str(uuid.uuid4()))
    bill = bill_rows.add_opened(commit, f"bil_{uuid.uuid4().hex}", opening)
    commit.send()
    return bill


def whole(store: Engine, bill_id: str) -> Journal:
    """The bill, after checking that its journal has no gap and its head says what the journal says."""
    journal = bill_rows.load(bill_id)
    rows = {row["sk"]["S"]: row for row in store.client.query(**_partition(bill_id))["Items"]}
    head = rows.pop("#")
    assert sorted(rows) == [f"{number:08d}" for number in range(1, len(rows) + 1)]
    bill = rebuild(bill_id, journal.changes)
    assert (head["state"]["S"], int(head["revision"]["N"])) == (bill.state, bill.revision)
    assert int(head["total"]["N"]) == sum(item.amount for item in bill.payable)
    names = [item.item_id for item in bill.items]
    assert len(set(names)) == len(names)
    return journal


def _partition(bill_id: str) -> dict[str, Any]:
    values = {":pk": {"S": bill_id}}
    return {
        "TableName": "billfold-bills",
        "KeyConditionExpression": "pk = :pk",
        "ExpressionAttributeValues": values,
        "ConsistentRead": True,
    }
