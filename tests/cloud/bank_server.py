"""The sandbox bank as a real HTTP service in the process of tests: its own steps, on the engine's table, behind a server.

    with bank_server.running() as bank:      # Billfold's environment points at it while it runs
        bank.register(address)               # where its callbacks go
        bank.send_callbacks(queues)          # the messages that are due, to its own step

Where the deployed bank keeps silent until the gateway says 504, the connection is cut here; `patience` makes it wait first.
"""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import urllib3

from billfold.banks.sandbox import derived_key
from functions.sandbox_bank import answer_bank_calls, send_bank_callbacks
from infra.plan import stages, triggers
from tests.cloud import queues, secret_store
from tests.cloud.local_http import Answer, LocalServer, Received

SECRET = secret_store.SANDBOX_BANK
ISSUERS = stages.stage(stages.LOCAL).variables["BILLFOLD_ISSUERS"]
SETTINGS = (
    "BILLFOLD_ISSUERS",
    "BILLFOLD_SANDBOX_BANK_ADDRESS",
    "BILLFOLD_SANDBOX_BANK_SILENCE_SECONDS",
)


@dataclass
class BankServer:
    """`calls`: route and status of each call, in order, for tests that count them."""

    address: str = ""
    calls: list[tuple[str, int]] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def register(self, address: str) -> None:
        """Have callbacks sent to an address, as `make up` does."""
        headers = {"Authorization": f"Bearer {derived_key(SECRET, 'calls').hex()}"}
        answer = urllib3.request("PUT", f"{self.address}/v1/webhook", json={"address": address}, headers=headers)
        assert answer.status == 200

    def send_callbacks(self, client: Any) -> int:
        """The bank's messages that are due, to the step that sends them; says how many there were. One that the merchant
        does not take stays in the queue, hidden for a while."""
        queue, count = dict(triggers.of_bank())["send_bank_callbacks"], 0
        assert isinstance(queue, triggers.Queue)
        while messages := queues.receive(client, queue.name):
            for message in messages:
                record = {"messageId": message["MessageId"], "body": message["Body"], "eventSource": "aws:sqs"}
                answer = send_bank_callbacks.handler({"Records": [record | {"attributes": {}}]}, None)
                count += 1
                if not answer["batchItemFailures"]:
                    queues.delete(client, queue.name, message)
        return count

    def answer(self, received: Received) -> Answer:
        event = {
            "resource": received.path,
            "httpMethod": received.method,
            "headers": received.headers,
            "queryStringParameters": received.query or None,
            "body": received.body or None,
        }
        answered = answer_bank_calls.handler(event, None)
        status = answered["statusCode"]
        with self._lock:
            self.calls.append((f"{received.method} {received.path}", status))
        return None if status == 504 else (status, answered["body"])


@contextmanager
def running(patience: float = 0) -> Iterator[BankServer]:
    """The bank on a free port. `patience`: how many seconds it waits before it cuts a connection."""
    bank = BankServer()
    before = {name: os.environ.get(name) for name in SETTINGS}
    with LocalServer(bank.answer) as server:
        bank.address = server.address
        os.environ.update(zip(SETTINGS, (ISSUERS, server.address, str(patience)), strict=True))
        try:
            yield bank
        finally:
            for name, value in before.items():
                os.environ.pop(name, None)
                if value is not None:
                    os.environ[name] = value
