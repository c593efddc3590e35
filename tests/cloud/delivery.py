"""What AWS does between steps: the tables' streams to the forwarding steps, the queues to their followers.

Everything is delivered at least once; `twice=True` delivers every record and message a second time.
"""

from collections.abc import Iterable
from typing import Any

from infra.plan import triggers
from infra.plan.triggers import Queue, Stream
from tests.cloud import queues
from tests.cloud.engine import Engine
from tests.world import STEPS

# By table and by queue, the step that it starts.
STREAMS = {trigger.table: step for step, trigger in triggers.of_app() if isinstance(trigger, Stream)}
QUEUES = {trigger.name: step for step, trigger in triggers.of_app() if isinstance(trigger, Queue)}


def source(table: str) -> str:
    """The name of a table's stream."""
    return f"arn:aws:dynamodb:eu-west-1:123456789012:table/billfold-{table}/stream/now"


def records(engine: Engine, table: str) -> list[dict[str, Any]]:
    """A table's stream since the tables were made anew, as Lambda receives it."""
    found = []
    for shard in engine.shards(table):
        start = {"ShardIteratorType": "TRIM_HORIZON"}
        if table in engine.marks:
            start = {"ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "SequenceNumber": engine.marks[table]}
        iterator = engine.streams.get_shard_iterator(**shard, **start)["ShardIterator"]
        while iterator:
            answer = engine.streams.get_records(ShardIterator=iterator)
            if not answer["Records"]:
                break
            found += [record | {"eventSourceARN": source(table)} for record in answer["Records"]]
            iterator = answer.get("NextShardIterator")
    return found


def begin(engine: Engine) -> None:
    """Forget the streams so far: the engine keeps a dropped table's records in the next one's stream."""
    for table in STREAMS:
        if seen := records(engine, table):
            engine.marks[table] = seen[-1]["dynamodb"]["SequenceNumber"]


def follow_streams(engine: Engine, *, twice: bool = False) -> None:
    """Every record of every stream to its forwarding step, from the beginning each time: followers must not mind."""
    for table, name in STREAMS.items():
        for _ in range(2 if twice else 1):
            STEPS[name].handler({"Records": records(engine, table)}, None)


def drain(client: Any, *, twice: bool = False) -> int:
    """Messages to their steps until every queue is empty, but for what was postponed; says how many there were. A reported failure
    fails the test."""
    handled = 0
    while True:
        before = handled
        for name, step in QUEUES.items():
            messages = queues.receive(client, name)
            if not messages:
                continue
            for _ in range(2 if twice else 1):
                hidden = {message["MessageId"]: queues.hidden_until(name, message) for message in messages}
                answer = STEPS[step].handler(received(messages), None)
            kept = {one["itemIdentifier"] for one in answer["batchItemFailures"]}
            for message in messages:
                if message["MessageId"] not in kept:
                    queues.delete(client, name, message)
                else:
                    assert queues.hidden_until(name, message) != hidden[message["MessageId"]], (message, "failed")
            handled += len(messages)
        if handled == before:
            return handled


def sqs_event(bodies: Any, *, before: int = 0) -> dict[str, Any]:
    """A batch of messages as Lambda receives it, which came so often before; no queue has them."""
    times = {"ApproximateReceiveCount": str(before + 1)}
    named = [{"MessageId": f"message-{number}", "Body": body} for number, body in enumerate(bodies)]
    return received([one | {"ReceiptHandle": "of no queue", "Attributes": times} for one in named])


def received(messages: list[dict[str, Any]]) -> dict[str, Any]:
    """What a queue gave, as Lambda hands it on."""
    return {
        "Records": [
            {
                "messageId": message["MessageId"],
                "receiptHandle": message["ReceiptHandle"],
                "body": message["Body"],
                "attributes": message["Attributes"],
                "eventSource": "aws:sqs",
            }
            for message in messages
        ]
    }


def in_order(log: str, bodies: Iterable[str]) -> dict[str, Any]:
    """A batch of one log's messages from a FIFO queue."""
    event = sqs_event(bodies)
    for record in event["Records"]:
        record["attributes"]["MessageGroupId"] = log
    return event


def uploaded(key: str) -> dict[str, Any]:
    """What EventBridge tells of a new object in a bucket."""
    detail = {
        "version": "0",
        "bucket": {"name": "billfold-photos"},
        "object": {"key": key, "size": 1024, "etag": "0" * 32, "sequencer": "0"},
        "reason": "PostObject",
    }
    return {"version": "0", "detail-type": "Object Created", "source": "aws.s3", "detail": detail}


def deliver(engine: Engine, client: Any, *, twice: bool = False) -> None:
    """Everything that follows from what was committed, and what follows from that."""
    for _ in range(2):
        follow_streams(engine, twice=twice)
        drain(client, twice=twice)
