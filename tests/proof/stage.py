"""The stage on which scenarios are played: the engine's tables, queues and keys on moto, the sandbox bank on a port, the state
machines, and time that set-up may move."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import patch

import boto3
import time_machine
from moto import mock_aws
from moto.core import DEFAULT_ACCOUNT_ID
from moto.sqs.models import sqs_backends

from billfold import aws
from billfold.tables import rows
from billfold.triggers import again
from infra.steps import QUEUES
from tests import bank_server, delivery, vault_keys, world
from tests.card_world import CardWorld
from tests.cards import photo_world
from tests.engine import Engine
from tests.machines import Machines
from tests.proof.ground import Ground


@dataclass(frozen=True)
class Outcome:
    """How a delivery ended: a status (queues: 200, or 503 with messages that come again), a body, headers."""

    status: int
    body: Any
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Stage:
    engine: Engine
    queues: Any
    ground: Ground
    cards: CardWorld
    # Where each table's stream stood when the tables were made anew (the engine keeps what it told before).
    starts: dict[str, str] = field(default_factory=dict)

    def empty(self) -> None:
        """New tables, no object and no message anywhere."""
        self.engine.empty(streams=True)
        self.ground.put_back({})
        self.cards.machines.put_back({})
        self.forget_messages()
        world.forget_connection()
        for table in delivery.STREAMS:
            shard = self.engine.shards(table)[-1]
            start = self.engine.streams.get_shard_iterator(**shard, ShardIteratorType="LATEST")
            self.starts[table] = start["ShardIterator"]

    def forget_messages(self) -> None:
        """No message in any queue, nor one that waits to come. Moto's own lists: asking for each would take a play's time."""
        for kept in sqs_backends[DEFAULT_ACCOUNT_ID]["eu-west-1"].queues.values():
            kept._messages.clear()
            kept._pending_messages.clear()

    def records(self, table: str) -> dict[str, Any]:
        """What the table's stream has told since, as one event."""
        return {"Records": self.engine.streams.get_records(ShardIterator=self.starts[table])["Records"]}

    def drain(self) -> None:
        """Every message to its follower. A crash after sending has put some there twice, so followers must not mind."""
        delivery.drain(self.queues)


@contextmanager
def set_up(engine: Engine) -> Iterator[Stage]:
    """A stage on a running engine, with queues of its own; nobody races here, so whoever tries again need not wait."""
    with (
        mock_aws(),
        patch.object(rows, "CONFLICT_WAIT_SECONDS", 0),
        patch.object(again, "WAIT_SECONDS", 0),
    ):
        client = boto3.client("sqs")
        for name in QUEUES:
            address = client.create_queue(QueueName=f"billfold-{name}")["QueueUrl"]
            os.environ[f"BILLFOLD_QUEUE_{name.upper().replace('-', '_')}"] = address
        bank_server.make_queue(client)
        aws.forget()
        handlers = {name: module.handler for name, module in world.STEPS.items()}
        with (
            photo_world.bucket_and_keys() as objects,
            bank_server.running() as bank,
            Machines(handlers) as running,
        ):
            vault_keys.make("1", "2")
            ground = Ground(engine, running, objects)
            yield Stage(engine, client, ground, CardWorld(engine, client, bank, running))
            ground.close()
        aws.forget()


@contextmanager
def ago(**span: float) -> Iterator[None]:
    """A time before now: what is set up here happened then."""
    with time_machine.travel(datetime.now(UTC) - timedelta(**span), tick=True):
        yield


def http(*arguments: Any, **options: Any) -> Callable[[], Outcome]:
    """A call over the gateway; each delivery is a new request of the same operation, with a fresh proof by the phone."""

    def arrive() -> Outcome:
        answer = world.call(*arguments, **options)
        return Outcome(answer.status, answer.body, tuple(answer.headers.items()))

    return arrive


def message(step: str, body: str) -> Callable[[], Outcome]:
    """A queue's message; a delivery is a reception."""

    def arrive() -> Outcome:
        answer = world.STEPS[step].handler(delivery.sqs_event([body]), None)
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
