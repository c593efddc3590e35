"""16 payers to one seller beside 16 payers to 16 sellers, through the real commit, where transactions conflict (LG-08).

Each payer is a process, as a Lambda environment is: it serves one request at a time and keeps its lane. DynamoDB's part
is the engine behind a layer that takes a while per transaction and cancels what touches an item in flight. With 8 ms the
machine's CPU is the limit; with 100 ms it is not, and all 16 payers really are in flight at once. Target: a ratio of 0.8.
"""

import multiprocessing
import os
import statistics
import time
import uuid
from contextlib import ExitStack
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

from tests.bench import conflicts, console
from tests.bench.scale import scaled
from tests.cloud.engine import Engine

PAYERS = scaled(16, 2)
ROUNDS = scaled(4, 1)
SECONDS = scaled(2.5, 0.3)
TRANSACTION_SECONDS = (0.008, 0.100)
SHAPES = {"to 16 sellers": PAYERS, "to 1 seller": 1}


@dataclass(frozen=True)
class Round:
    """What one round came to: transfers a second, milliseconds each, conflicts met, and transfers given up."""

    rate: float
    milliseconds: list[float]
    conflicts: int
    given_up: int


def pay(orders: Connection, number: int) -> None:
    """A payer's process: for each order it pays a seller again and again until the time is over."""
    from billfold import clock, ledger
    from billfold.errors import Unavailable
    from billfold.ledger import ledger_rows
    from billfold.tables.commits import Commit

    def move(payer: ledger.Account, payee: ledger.Account, amount: int) -> None:
        transfer_id = f"trf_{uuid.uuid4().hex}"
        commit = Commit(transfer_id)
        legs = ledger.pay(payer, [(payee, amount)])
        ledger_rows.add_transfer(
            commit, ledger.transfer(transfer_id, legs, at=clock.now(), kind="bill", reason="lunch")
        )
        commit.send()

    wallet = ledger.wallet(f"usr_{number}", "USD")
    move(ledger.funding("USD"), wallet, 10**9)
    orders.send("ready")
    while order := orders.recv():
        seller, start, end = order
        sales, took, given_up = ledger.sales(seller, "USD"), [], 0
        time.sleep(max(0.0, start - time.time()))
        while (began := time.time()) < end:
            try:
                move(wallet, sales, 1)
                took.append((time.time() - began) * 1000)
            except Unavailable:
                given_up += 1
        orders.send((took, given_up))


def main() -> None:
    rows = []
    for seconds in TRANSACTION_SECONDS:
        rounds = measure(seconds)
        spread = statistics.median(one.rate for one in rounds["to 16 sellers"])
        for shape, found in rounds.items():
            rates = [one.rate for one in found]
            took = statistics.median(ms for one in found for ms in one.milliseconds)
            met = sum(one.conflicts for one in found)
            given_up = sum(one.given_up for one in found)
            ratio = f"{statistics.median(rates) / spread:.2f}"
            name = f"{seconds * 1000:.0f} ms, {shape}"
            rows.append((name, *console.spread(rates, 0), ratio, f"{took:.0f}", str(met), str(given_up)))
    columns = ("transaction, shape", "min /s", "median /s", "max /s", "ratio", "median ms", "conflicts", "given up")
    console.table(f"Hot seller: {PAYERS} payers, transfers a second (target ratio 0.8)", columns, rows)


def measure(transaction_seconds: float) -> dict[str, list[Round]]:
    """Rounds of both shapes in turn, the same payers in each."""
    found: dict[str, list[Round]] = {shape: [] for shape in SHAPES}
    with ExitStack() as stack:
        engine = stack.enter_context(Engine())
        engine.empty()
        url = stack.enter_context(conflicts.layer(engine.url, transaction_seconds))
        os.environ["AWS_ENDPOINT_URL_DYNAMODB"] = url
        payers = [stack.enter_context(_Payer(number)) for number in range(PAYERS)]
        for payer in payers:
            assert payer.orders.recv() == "ready"
        advance = stack.enter_context(console.progress("hot seller", ROUNDS * len(SHAPES)))
        for number in range(ROUNDS):
            # Each shape comes first in every other round.
            for shape in list(SHAPES)[:: 1 if number % 2 else -1]:
                found[shape].append(_round(payers, SHAPES[shape], url))
                advance()
    return found


class _Payer:
    """A payer's process, ended with the block."""

    def __init__(self, number: int) -> None:
        spawn: Any = multiprocessing.get_context("spawn")
        self.orders, theirs = spawn.Pipe()
        self._process = spawn.Process(target=pay, args=(theirs, number), daemon=True)

    def __enter__(self) -> "_Payer":
        self._process.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.orders.send(None)
        self._process.join(10)


def _round(payers: list[_Payer], sellers: int, url: str) -> Round:
    before, start = conflicts.counts(url), time.time() + 0.2
    for number, payer in enumerate(payers):
        payer.orders.send((f"mer_{sellers}_{number % sellers}", start, start + SECONDS))
    answers = [payer.orders.recv() for payer in payers]
    took = [milliseconds for each, _ in answers for milliseconds in each]
    met = conflicts.counts(url)["conflicts"] - before["conflicts"]
    return Round(len(took) / SECONDS, took, met, sum(given_up for _, given_up in answers))
