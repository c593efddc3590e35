"""The stage's queues, on moto: made, read as Lambda reads them, and forgotten."""

import os
from collections.abc import Iterator
from typing import Any

from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.sqs.models import sqs_backends

from billfold import aws
from infra.plan.queues import STREAMS_DEAD, ordered_names, queue_name, queue_names


def setting(name: str) -> str:
    """Where a step finds a queue's address."""
    return f"BILLFOLD_QUEUE_{name.upper().replace('-', '_')}"


def address(name: str) -> str:
    return os.environ[setting(name)]


def make() -> Any:
    """Every queue, the sandbox bank's too, known to the steps from here on; SQS's client."""
    client = aws.client("sqs")
    for name in (*queue_names(sandbox_bank=True), STREAMS_DEAD, *(f"{name}-dead" for name in ordered_names())):
        full_name = queue_name("billfold", name)
        fifo = {"FifoQueue": "true"} if full_name.endswith(".fifo") else {}
        os.environ[setting(name)] = client.create_queue(QueueName=full_name, Attributes=fifo)["QueueUrl"]
    return client


def receive(client: Any, name: str) -> list[dict[str, Any]]:
    """Up to ten messages. SQS is not asked when moto's own list is empty: it mostly is, and asking would cost a suite minutes."""
    if not _kept()[queue_name("billfold", name)].messages:
        return []
    asked = {"QueueUrl": address(name), "MaxNumberOfMessages": 10, "AttributeNames": ["All"]}
    found: list[dict[str, Any]] = client.receive_message(**asked).get("Messages", [])
    return found


def bodies(client: Any, name: str) -> Iterator[str]:
    """What all messages say that can be received; they are deleted, because a FIFO queue's next wait for them."""
    while messages := receive(client, name):
        for message in messages:
            delete(client, name, message)
            yield message["Body"]


def hidden_until(name: str, message: dict[str, Any]) -> float:
    """Until when, in milliseconds, a message that was received is not received again."""
    (found,) = [one for one in _kept()[queue_name("billfold", name)]._messages if one.id == message["MessageId"]]
    return float(found.visible_at)


def delete(client: Any, name: str, message: dict[str, Any]) -> None:
    client.delete_message(QueueUrl=address(name), ReceiptHandle=message["ReceiptHandle"])


def forget() -> None:
    """No message in any queue, nor one that waits to come."""
    for queue in _kept().values():
        queue._messages.clear()
        queue._pending_messages.clear()


def _kept() -> dict[str, Any]:
    return dict(sqs_backends[DEFAULT_ACCOUNT_ID]["eu-west-1"].queues)
