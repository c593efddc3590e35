"""SQS and Lambda between steps, simulated in time: visibility, delays, batches, a maximum of calls at once, partial failures,
functions that outlast their time-out, redelivery, dead letters, and the duplicates of a queue that delivers at least once.

    with SimulatedQueues(lambdas, seed=1) as queues:
        queues.send("charges", "chg_…")
        queues.run(until_seconds=1_800)

The real handlers run, each call as long as the seconds that it spends (`spend`, from a stand-in for what it waits for). What
a handler asks of SQS happens at the second of its call that it has come to; nothing of a call happens beyond its time-out.
"""

import heapq
import itertools
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import time_machine
from botocore.client import BaseClient
from botocore.exceptions import ClientError

from tests.cloud import delivery

# The way that every call of every client goes; its type hides it.
CLIENTS: Any = BaseClient
# How often a standard queue hands a message out although it was handed out already. AWS names no figure: this is far too often.
TWICE = 0.01


class Overdue(BaseException):
    """A call has outlasted its function's time-out; no step catches it."""


@dataclass(frozen=True)
class Lambda:
    """A queue's function and its event source."""

    handler: Callable[[Any, Any], Any]
    batch: int
    at_once: int
    timeout_seconds: int
    visibility_seconds: int
    receptions: int


@dataclass
class Message:
    body: str
    visible_at: float
    received: int = 0
    receipts: list[str] = field(default_factory=list)


class SimulatedQueues:
    """Queues by name, each with its function. `calls` and `dead` count what happened, by queue."""

    def __init__(self, lambdas: dict[str, Lambda], seed: int) -> None:
        self.lambdas, self.messages = lambdas, {name: list[Message]() for name in lambdas}
        self.calls, self.dead, self.sent = Counter[str](), Counter[str](), Counter[str]()
        self._began, self._now, self._spent = datetime.now(UTC), 0.0, 0.0
        self._random, self._numbers = random.Random(seed), itertools.count()
        self._running: dict[str, list[float]] = {name: [] for name in lambdas}
        self._timeout = 0

    def __enter__(self) -> "SimulatedQueues":
        self._real = CLIENTS._make_api_call

        def pass_on(client: Any, action: str, arguments: dict[str, Any]) -> Any:
            if client.meta.service_model.service_name != "sqs":
                return self._real(client, action, arguments)
            return self._answer(action, arguments)

        CLIENTS._make_api_call = pass_on
        return self

    def __exit__(self, *_: object) -> None:
        CLIENTS._make_api_call = self._real

    def send(self, name: str, body: str, delay_seconds: int = 0) -> None:
        self.sent[name] += 1
        self.messages[name].append(Message(body, self._now + self._spent + delay_seconds))

    def spend(self, seconds: float) -> None:
        """The running call waits so long; it is cut off at its function's time-out."""
        self._spent = min(self._spent + seconds, self._timeout)
        if self._spent >= self._timeout:
            raise Overdue()

    def run(self, until_seconds: float) -> None:
        """Everything that begins before this second."""
        while (at := min(self._next(name) for name in self.lambdas)) < until_seconds:
            self._now = max(self._now, at)
            for name in self.lambdas:
                while self._next(name) <= self._now:
                    self._receive(name)

    def _next(self, name: str) -> float:
        """When a message can be received by a call that may begin."""
        visible = min((message.visible_at for message in self.messages[name]), default=float("inf"))
        running = self._running[name]
        while running and running[0] <= max(self._now, visible):
            heapq.heappop(running)
        return max(visible, running[0] if len(running) >= self.lambdas[name].at_once else 0.0)

    def _receive(self, name: str) -> None:
        of, batch = self.lambdas[name], list[Message]()
        for message in sorted(self.messages[name], key=lambda one: one.visible_at):
            if message.visible_at > self._now or len(batch) == of.batch:
                break
            if message.received == of.receptions:
                self.messages[name].remove(message)
                self.dead[name] += 1
                continue
            message.received += 1
            message.receipts.append(f"{name} {next(self._numbers)}")
            message.visible_at = self._now + (0 if self._random.random() < TWICE else of.visibility_seconds)
            batch.append(message)
        if batch:
            self._call(name, of, batch)

    def _call(self, name: str, of: Lambda, batch: list[Message]) -> None:
        self.calls[name] += 1
        self._spent, self._timeout = 0.0, of.timeout_seconds
        received = [
            {
                "MessageId": message.receipts[-1],
                "ReceiptHandle": message.receipts[-1],
                "Body": message.body,
                "Attributes": {"ApproximateReceiveCount": str(message.received)},
            }
            for message in batch
        ]
        try:
            with time_machine.travel(self._began + timedelta(seconds=self._now), tick=False):
                answer = of.handler(delivery.received(received), None)
        except Overdue:
            done = set[str]()
        else:
            kept = {one["itemIdentifier"] for one in answer["batchItemFailures"]}
            done = {message.receipts[-1] for message in batch} - kept
        self.messages[name] = [one for one in self.messages[name] if not done & set(one.receipts)]
        heapq.heappush(self._running[name], self._now + self._spent)
        self._spent = 0.0

    def _answer(self, action: str, arguments: dict[str, Any]) -> dict[str, Any]:
        name = arguments["QueueUrl"].rpartition("/billfold-")[2]
        if action == "SendMessageBatch":
            for entry in arguments["Entries"]:
                self.send(name, entry["MessageBody"], entry.get("DelaySeconds", 0))
            return {"Successful": arguments["Entries"], "Failed": []}
        assert action == "ChangeMessageVisibility", action
        for message in self.messages[name]:
            if arguments["ReceiptHandle"] in message.receipts:
                message.visible_at = self._now + self._spent + arguments["VisibilityTimeout"]
                return {}
        raise ClientError({"Error": {"Code": "ReceiptHandleIsInvalid"}}, action)
