"""Queues in and out: SQS batches whose failed messages alone come again, and sending to a queue.

A message that fails is reported by its id (ReportBatchItemFailures), comes again after its visibility time-out, and after
five receptions rests in the dead-letter queue. A message that waits for somebody else is reported likewise, hidden for as
long as it is to wait: it stays the one message that it is, so that no redelivery can multiply it. In a FIFO queue what fails
holds up what follows it in its group, here a log's lines.
"""

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from botocore.exceptions import BotoCoreError, ClientError

from billfold import aws
from billfold.errors import Busy, Unavailable
from billfold.triggers import log
from billfold.triggers.again import until_fresh

# As many as SQS takes in one call.
BATCH = 10
Handler = Callable[[dict[str, Any], Any], dict[str, Any]]


class Message(NamedTuple):
    """What a queue is to be sent. For a FIFO queue `log` is its group; what is said of one `thing` to one log keeps its order."""

    queue: str
    body: str
    log: str = ""
    thing: str = ""


@dataclass(frozen=True, slots=True)
class Later:
    """What a patient step answers when its message is to come again after so many seconds, and the word for the log."""

    seconds: int
    outcome: str


class _ComesAgain(Exception):
    """Reports a message without a fault."""


def step(run: Callable[[str], str]) -> Handler:
    """Make a function of one message's body a Lambda handler. It answers with a word for the log on what became of it."""

    def one(record: dict[str, Any]) -> None:
        with log.timed("handled", run) as facts:
            facts["message_id"] = record["messageId"]
            facts["outcome"] = until_fresh(lambda: run(record["body"]))

    return _handler(run, one)


def patient_step(name: str) -> Callable[[Callable[[str, int], str | Later]], Handler]:
    """Make a function of one message's body, and of how often it came before, a Lambda handler on the queue of this name."""

    def decorate(run: Callable[[str, int], str | Later]) -> Handler:
        def one(record: dict[str, Any]) -> None:
            before = int(record["attributes"]["ApproximateReceiveCount"]) - 1
            with log.timed("handled", run) as facts:
                facts["message_id"] = record["messageId"]
                said = until_fresh(lambda: run(record["body"], before))
                facts["outcome"] = said.outcome if isinstance(said, Later) else said
            if isinstance(said, Later):
                _hide(name, record["receiptHandle"], said.seconds)
                raise _ComesAgain()

        return _handler(run, one)

    return decorate


def _handler(run: Callable[..., Any], one: Callable[[dict[str, Any]], None]) -> Handler:
    def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
        processor = BatchProcessor(EventType.SQS, raise_on_entire_batch_failure=False)
        return dict(process_partial_response(event, one, processor, context))

    handler.__module__ = run.__module__
    handler.__doc__ = run.__doc__
    return handler


def in_order(name: str) -> Callable[[Callable[[str, list[str]], list[str]]], Handler]:
    """Make a function of a log and the messages for it, in order, a Lambda handler on the FIFO queue of this name.

    It answers with those that nobody could ever handle: they are laid among the dead letters at once, so that the others go
    on. When it fails, all that this log was sent comes again.
    """

    def decorate(run: Callable[[str, list[str]], list[str]]) -> Handler:
        def one_log(log_name: str, bodies: list[str]) -> None:
            with log.timed("handled", run) as facts:
                facts |= {"log": log_name, "messages": len(bodies)}
                if unreadable := until_fresh(lambda: run(log_name, bodies)):
                    facts |= {"fault": "Unreadable", "dead_letters": len(unreadable)}
                    send_all(Message(f"{name}-dead", body, log=log_name, thing=body) for body in unreadable)

        def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
            logs: dict[str, list[dict[str, Any]]] = {}
            for record in event["Records"]:
                logs.setdefault(record["attributes"]["MessageGroupId"], []).append(record)
            failed: list[dict[str, str]] = []
            for log_name, records in logs.items():
                try:
                    one_log(log_name, [record["body"] for record in records])
                except Exception:  # `log.timed` has told what it was
                    failed += [{"itemIdentifier": record["messageId"]} for record in records]
            return {"batchItemFailures": failed}

        handler.__module__ = run.__module__
        handler.__doc__ = run.__doc__
        return handler

    return decorate


def send(name: str, bodies: Iterable[str], delay_seconds: int = 0) -> int:
    """Send messages to a queue of this stage and say how many; Busy when any was refused, Unavailable when SQS is.

    The caller is then called again, so receivers see some messages twice: every one of them is idempotent.
    """
    return _send_in_batches(name, (Message(name, body) for body in bodies), delay_seconds)


def send_all(messages: Iterable[Message]) -> int:
    """Send messages, each to its own queue; as `send`."""
    by_queue: dict[str, list[Message]] = {}
    for message in messages:
        by_queue.setdefault(message.queue, []).append(message)
    return sum(_send_in_batches(name, its_messages) for name, its_messages in by_queue.items())


def _send_in_batches(name: str, messages: Iterable[Message], delay_seconds: int = 0) -> int:
    address = _address(name)
    return sum(_send(address, batch, delay_seconds) for batch in batches(messages))


def batches(messages: Iterable[Message]) -> Iterator[list[Message]]:
    """Ten at most, and of one thing's messages to one log one at most.

    SQS can take a part of a batch: of two about one thing it could take the second, and sending both again would turn them
    round. Nothing is sent after a batch of which a part was refused.
    """
    batch: list[Message] = []
    things: set[tuple[str, str]] = set()
    for message in messages:
        thing = (message.log, message.thing)
        if len(batch) == BATCH or (message.log and thing in things):
            yield batch
            batch, things = [], set()
        batch.append(message)
        things.add(thing)
    if batch:
        yield batch


def _hide(name: str, receipt: str, seconds: int) -> None:
    """Keep a message from coming again before its time; where SQS does not take that, it comes after the queue's own time-out."""
    try:
        aws.client("sqs").change_message_visibility(
            QueueUrl=_address(name), ReceiptHandle=receipt, VisibilityTimeout=seconds
        )
    except (ClientError, BotoCoreError):
        return


def _address(name: str) -> str:
    return os.environ[f"BILLFOLD_QUEUE_{name.upper().replace('-', '_')}"]


def _send(address: str, batch: list[Message], delay_seconds: int) -> int:
    entries = [
        {"Id": str(number), "MessageBody": message.body, **_settings(message, delay_seconds)}
        for number, message in enumerate(batch)
    ]
    try:
        answer = aws.client("sqs").send_message_batch(QueueUrl=address, Entries=entries)
    except (ClientError, BotoCoreError) as error:
        raise Unavailable() from error
    if answer.get("Failed"):
        raise Busy()
    return len(batch)


def _settings(message: Message, delay_seconds: int) -> dict[str, Any]:
    """A FIFO queue drops what it was sent in the last five minutes; it cannot delay one message alone."""
    if not message.log:
        return {"DelaySeconds": delay_seconds}
    known = hashlib.sha256(f"{message.log}\n{message.body}".encode()).hexdigest()
    return {"MessageGroupId": message.log, "MessageDeduplicationId": known}
