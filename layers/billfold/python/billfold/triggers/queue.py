"""Queues in and out: SQS batches whose failed messages alone come again, and sending to a queue.

A message that fails is reported by its id (ReportBatchItemFailures), comes again after its visibility time-out, and after
five receptions rests in the dead-letter queue. A message that waits for somebody else is reported likewise, hidden for as
long as it is to wait: it stays the one message that it is, so that no redelivery can multiply it.
"""

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from botocore.exceptions import BotoCoreError, ClientError

from billfold import aws
from billfold.errors import Busy, Unavailable
from billfold.triggers import log
from billfold.triggers.again import until_fresh

Handler = Callable[[dict[str, Any], Any], dict[str, Any]]


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


def send(name: str, bodies: Iterable[str], delay_seconds: int = 0) -> int:
    """Send messages to a queue of this stage, ten a call, and say how many; Busy when any was refused, Unavailable when SQS is.

    The caller is then called again, so receivers see some messages twice: every one of them is idempotent.
    """
    address, sent, batch = _address(name), 0, []
    for body in bodies:
        batch.append(body)
        if len(batch) == 10:
            sent += _send(address, batch, delay_seconds)
            batch = []
    return sent + (_send(address, batch, delay_seconds) if batch else 0)


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


def _send(address: str, batch: list[str], delay_seconds: int) -> int:
    entries = [
        {"Id": str(number), "MessageBody": body, "DelaySeconds": delay_seconds} for number, body in enumerate(batch)
    ]
    try:
        answer = aws.client("sqs").send_message_batch(QueueUrl=address, Entries=entries)
    except (ClientError, BotoCoreError) as error:
        raise Unavailable() from error
    if answer.get("Failed"):
        raise Busy()
    return len(batch)
