"""A statement followed by a reader while 64 people pay into it: through API, ledger, stream, queue and back (A3)."""

import threading
from typing import Any

from tests import world
from tests.cloud import delivery
from tests.cloud.engine import Engine
from tests.proof.racing import race, stubborn
from tests.world import PIN, Person, call

PAYERS = 64


def pay(payer: Person, payee: str, amount: int, *, key: str) -> Any:
    body = {"to": payee, "amount": {"amount": amount, "currency": "USD"}, "reason": "race", "pin": PIN}
    return call("POST", "/v1/transfers", payer, body, key=key)


class Follower:
    """A client that follows a statement as docs/api.md says: at the end it asks again with the cursor that it used last."""

    def __init__(self, person: Person) -> None:
        self._person, self._cursor, self._page = person, "", 0
        self.seen: list[int] = []

    def read(self) -> None:
        while True:
            query = {"order": "oldest", "limit": "7"} | ({"cursor": self._cursor} if self._cursor else {})
            answer = call("GET", "/v1/wallets/USD/entries", self._person, query=query).body
            lines = [line["amount"] for line in answer["items"]]
            assert lines[: self._page] == self.seen[len(self.seen) - self._page :], (
                "what was seen comes first, unchanged"
            )
            self.seen += lines[self._page :]
            self._page = len(lines)
            if "next" not in answer:
                return
            self._cursor, self._page = answer["next"], 0


def backwards(person: Person) -> list[int]:
    """The whole statement from the newest, page by page, while it grows."""
    seen, cursor = [], ""
    while True:
        query = {"limit": "7"} | ({"cursor": cursor} if cursor else {})
        answer = call("GET", "/v1/wallets/USD/entries", person, query=query).body
        seen += [line["amount"] for line in answer["items"]]
        if "next" not in answer:
            return seen
        cursor = answer["next"]


def test_who_follows_a_statement_sees_every_line_once_in_either_order(store: Engine, queues: Any) -> None:
    """LG-09: sixty-four payers at once, deliveries that come again and again, and two readers all the while."""
    payee, payers = world.joined(pin=None), [world.joined() for _ in range(PAYERS)]
    for payer in payers:
        world.fund(payer, 1_000)
    delivery.begin(store)
    amounts, paid = list(range(1, PAYERS + 1)), threading.Event()
    jobs = [stubborn(pay, payer, payee.user_id, amount) for payer, amount in zip(payers, amounts, strict=True)]
    racing = threading.Thread(target=lambda: (race(jobs), paid.set()))
    racing.start()
    follower, looks, last = Follower(payee), [], False
    while not last:
        last = paid.is_set()
        world.STEPS["forward_transfers"].handler({"Records": delivery.records(store, "ledger")}, None)
        delivery.drain(queues)
        follower.read()
        looks.append(backwards(payee))
    racing.join()
    assert sorted(follower.seen) == amounts
    assert all(look == follower.seen[: len(look)][::-1] for look in looks)
    assert sum(follower.seen) == world.wallet(payee)
