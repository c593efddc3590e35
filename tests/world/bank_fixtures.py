"""Fixtures around the sandbox bank: the bank on a port, Billfold's adapter of it, and somebody who takes its callbacks."""

from collections.abc import Iterator

import pytest

from billfold import banks
from billfold.banks import Authentication, Bank
from sandbox_bank import behaviours
from tests.cloud import bank_server
from tests.cloud.bank_server import BankServer
from tests.cloud.local_http import Answer, LocalServer, Received


class Receiver:
    """A merchant's callback address: keeps what arrives, and answers `status` (None: cuts the connection)."""

    def __init__(self) -> None:
        self.received: list[Received] = []
        self.status: int | None = 200

    def answer(self, received: Received) -> Answer:
        self.received.append(received)
        return None if self.status is None else (self.status, "{}")


@pytest.fixture
def bank(queues) -> Iterator[BankServer]:
    """The sandbox bank, with its queue on moto and its table on the engine."""
    with bank_server.running() as running:
        yield running


@pytest.fixture
def receiver(bank: BankServer) -> Iterator[Receiver]:
    """Registered at the bank."""
    receiver = Receiver()
    with LocalServer(receiver.answer) as server:
        bank.register(f"{server.address}/v1/banks/sandbox/callbacks")
        yield receiver


@pytest.fixture
def sandbox(bank: BankServer) -> Bank:
    """Billfold's adapter, as a step gets it."""
    return banks.bank("sandbox")


def card(name: str, rest: int = 1) -> str:
    """A number of the behaviour with this name."""
    return behaviours.number(behaviours.NAMED[name].digits, rest)


def authentication(
    number: str, *, card_id: str = "crd_1", document_number: str = "C01X00T47", typed: bool = False
) -> Authentication:
    """What Billfold asks about a card."""
    return Authentication(
        card_id, number, 2031, 7, "A HOLDER", "Ada Holder", "passport", document_number, "+4915155512345", typed
    )
