"""One deployed step is replaced, and taken back, while others keep calling: nobody notices but by the new answer (XX-07)."""

import threading
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from infra.clients.api import Client
from infra.demo import bills
from infra.demo.cast import Customer
from tests.e2e.checkout import Checkout

STEP, SOURCE = "get_bill", "functions/bills/get_bill.py"
OWNERS_ANSWER = "return http.Answer(200, bill_wire.bill(bill, people.tries_left(user.pin, request.now))"
MARK = "Step-Mark"
CALLERS = 3


class Load:
    """Threads that call one address over and over; each asks once, so that a lost request is seen."""

    def __init__(self, api: str, token: str, path: str, callers: int) -> None:
        self.answers: list[tuple[float, float, Any, str]] = []
        self._ended = threading.Event()
        self._api, self._token, self._path = api, token, path
        self._threads = [threading.Thread(target=self._call) for _ in range(callers)]

    def __enter__(self) -> "Load":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join(60)

    def _call(self) -> None:
        with Client(self._api, self._token, tries=1) as client:
            while not self._ended.is_set():
                started = time.monotonic()
                status: Any
                try:
                    reply = client.call("GET", self._path)
                    status, mark = reply.status, reply.headers.get(MARK, "")
                except httpx.HTTPError as fault:
                    status, mark = repr(fault), ""
                self.answers.append((started, time.monotonic(), status, mark))
                time.sleep(0.04)

    def wait_for(self, more: int) -> None:
        """Until so many more calls were answered."""
        wanted = len(self.answers) + more
        deadline = time.monotonic() + 30
        while len(self.answers) < wanted and time.monotonic() < deadline:
            time.sleep(0.02)
        assert len(self.answers) >= wanted, "the calls dried up"

    def statuses(self) -> set[Any]:
        return {status for _, _, status, _ in self.answers}

    def marks(self, since: float, until: float) -> set[str]:
        """How the answers are marked that were asked for and given between two instants."""
        return {mark for asked, given, _, mark in self.answers if since < asked and given < until}


@pytest.fixture
def marked(checkout: Checkout) -> Iterator[Any]:
    """Change the step's source so that its answers carry a mark; the source is as before in the end."""
    path = checkout.folder / SOURCE
    before = path.read_text()
    assert before.count(OWNERS_ANSWER) == 1, "the owner's answer of get_bill is written differently now"

    def mark(text: str) -> None:
        path.write_text(before.replace(OWNERS_ANSWER, f'{OWNERS_ANSWER}, {{"{MARK}": "{text}"}}'))

    yield mark
    path.write_text(before)


@pytest.fixture
def opened(stack: dict[str, Any]) -> Iterator[tuple[Customer, str]]:
    """An open bill and its owner."""
    erin = Customer(stack, "erin")
    bill_id = bills.open_bill(erin, "EUR")["id"]
    yield erin, bill_id
    bills.close(erin, bill_id)
    erin.leave()


def _live(checkout: Checkout) -> int:
    """The version that `python -m infra status` shows as live."""
    line = next(line for line in checkout.infra("status").splitlines() if line.startswith(f"{STEP} "))
    return int(line.split()[2])


def test_a_step_is_replaced_and_taken_back_under_load_without_a_lost_request(
    checkout: Checkout, stack: dict[str, Any], opened: tuple[Customer, str], marked: Any
) -> None:
    """Old code answers until the alias `live` moves, then new code does; every other step serves on. Then the way back.

    The deployment after a rollback finds the alias elsewhere than its stack believes; what is deployed is live all the same.
    """
    erin, bill_id = opened
    replaced = Load(stack["api"], erin.api.token, f"/v1/bills/{bill_id}", CALLERS)
    beside = Load(stack["api"], erin.api.token, "/v1/wallets", 1)
    with replaced, beside:
        replaced.wait_for(20)
        marked("new")
        began = time.monotonic()
        assert f"{STEP}: version 2 is live" in checkout.infra("deploy", STEP)
        deployed = time.monotonic()
        replaced.wait_for(20)
        version = _live(checkout)
        taking_back = time.monotonic()
        assert f"{STEP}: version 1 is live, 2 was" in checkout.infra("rollback", STEP)
        back = time.monotonic()
        replaced.wait_for(20)
        deploying_again = time.monotonic()
        assert f"{STEP}: version 2 is live" in checkout.infra("deploy", STEP)
        again = time.monotonic()
        replaced.wait_for(20)
    assert (replaced.statuses(), beside.statuses()) == ({200}, {200})
    assert version == 2
    assert replaced.marks(0, began) == {""}
    assert replaced.marks(deployed, taking_back) == {"new"}
    assert replaced.marks(back, deploying_again) == {""}
    assert replaced.marks(again, time.monotonic()) == {"new"}
