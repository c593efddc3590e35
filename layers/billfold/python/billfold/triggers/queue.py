"""Queues in and out: SQS batches whose failed messages alone come again, and sending to a queue.

A message that fails is reported by its id (ReportBatchItemFailures), comes again after its visibility time-out, and after
five receptions rests in the dead-letter queue.
"""

import os
from collections.abc import Callable, Iterable
from typing import Any

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from botocore.exceptions import BotoCoreError, ClientError

from billfold import aws
from billfold.errors import Busy, Unavailable
from billfold.triggers import log
from billfold.triggers.again import until_fresh


def step(run: Callable[[str], str]) -> Callable[[dict[str, Any], Any], dict[str, Any]]:
    """Make a function of one message's body a Lambda handler. It answers with a word for the log on what became of it."""

    def one(record: dict[str, Any]) -> None:
        with log.timed("handled", run) as facts:
            facts["message_id"] = record["messageId"]
            facts["outcome"] = until_fresh(lambda: run(record["body"]))

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
    address = os.environ[f"BILLFOLD_QUEUE_{name.upper().replace('-', '_')}"]
    sent, batch = 0, []
    for body in bodies:
        batch.append(body)
        if len(batch) == 10:
            sent += _send(address, batch, delay_seconds)
            batch = []
    return sent + (_send(address, batch, delay_seconds) if batch else 0)


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
