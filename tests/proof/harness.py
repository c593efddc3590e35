"""What scenarios are played on: the engine's tables, queues and keys on moto, the sandbox bank on a port, the state
machines, and time that set-up may move."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import patch

import time_machine
from moto import mock_aws

from tests import world
from tests.cloud import bank_server, delivery, queues
from tests.cloud.engine import Engine
from tests.proof.ground import Ground
from tests.world import photo_world, vault_keys
from tests.world.card_world import CardWorld
from tests.world.machines import Machines


@dataclass(frozen=True)
class Outcome:
    """How a delivery ended: a status (queues: 200, or 503 with messages that come again), a body, headers."""

    status: int
    body: Any
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Harness:
    engine: Engine
    queues: Any
    ground: Ground
    cards: CardWorld
    # Where each table's stream stood when the tables were emptied with streams (the engine keeps what it told before).
    starts: dict[str, str] = field(default_factory=dict)

    def empty(self, *, streams: bool = False) -> None:
        """No row, no object and no message anywhere; with streams where `records` are to be read."""
        self.engine.empty(streams=streams)
        self.ground.put_back({})
        self.cards.machines.put_back({})
        queues.forget()
        self.starts.clear()
        for table in delivery.STREAMS if streams else ():
            shard = self.engine.shards(table)[-1]
            start = self.engine.streams.get_shard_iterator(**shard, ShardIteratorType="LATEST")
            self.starts[table] = start["ShardIterator"]

    def records(self, table: str) -> dict[str, Any]:
        """What the table's stream has told since, as one event."""
        found = self.engine.streams.get_records(ShardIterator=self.starts[table])["Records"]
        return {"Records": [record | {"eventSourceARN": delivery.source(table)} for record in found]}

    def drain(self) -> None:
        """Every message to its follower. A crash after sending has put some there twice, so followers must not mind."""
        delivery.drain(self.queues)


@contextmanager
def set_up(engine: Engine) -> Iterator[Harness]:
    """A harness on a running engine, with queues of its own; nobody races here, so whoever tries again need not wait."""
    with (
        mock_aws(),
        patch.dict(os.environ, BILLFOLD_BACK_OFF_MS="0"),
    ):
        client = queues.make()
        handlers = {name: module.handler for name, module in world.STEPS.items()}
        with (
            photo_world.bucket_and_keys() as objects,
            bank_server.running() as bank,
            Machines(handlers) as running,
        ):
            vault_keys.make("1", "2")
            yield Harness(engine, client, Ground(engine, running, objects), CardWorld(engine, client, bank, running))


@contextmanager
def ago(**span: float) -> Iterator[None]:
    """A time before now: what is set up here happened then."""
    with time_machine.travel(datetime.now(UTC) - timedelta(**span), tick=True):
        yield


def http(*arguments: Any, **options: Any) -> Callable[..., Outcome]:
    """A call over the gateway; each delivery is a new request of the same operation, with a fresh proof by the phone, but
    with another key of another operation."""

    def arrive(key: str = "") -> Outcome:
        answer = world.call(*arguments, **options | ({"key": key} if key else {}))
        return Outcome(answer.status, answer.body, tuple(answer.headers.items()))

    return arrive


def message(step: str, body: str, log: str = "") -> Callable[[], Outcome]:
    """A queue's message, of a FIFO queue for this log; a delivery is a reception."""

    def arrive() -> Outcome:
        event = delivery.in_order(log, [body]) if log else delivery.sqs_event([body])
        answer = world.STEPS[step].handler(event, None)
        assert answer in (
            {"batchItemFailures": []},
            {"batchItemFailures": [{"itemIdentifier": "message-0"}]},
        )
        return Outcome(503 if answer["batchItemFailures"] else 200, None)

    return arrive


def happening(step: str, event: dict[str, Any]) -> Callable[[], Outcome]:
    """A stream's batch or a schedule's tick; an exception makes Lambda deliver it again."""

    def arrive() -> Outcome:
        try:
            answer = world.STEPS[step].handler(event, None)
        except Exception:
            return Outcome(503, None, (("Retry-After", "1"),))
        return Outcome(200, answer)

    return arrive


def task(step: str, card: str, **more: str) -> Callable[[], Outcome]:
    """A task of a state machine, which tries again after an error."""

    def arrive() -> Outcome:
        try:
            answer = world.STEPS[step].handler({"card": card, **more}, None)
        except Exception:
            return Outcome(503, None)
        return Outcome(200, answer)

    return arrive
