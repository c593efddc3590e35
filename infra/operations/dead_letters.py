"""Dead letters as operations see them, by ids and never by texts, and their way back.

A queue's go back into the queue. In the streams' (`streams-dead`) lie two kinds of notes: a forwarding step's, of one row that it
did not understand, and Lambda's, of a batch that failed for an hour. A note holds no row, so the row is read again, from
its table or from the stream, and handed to the step. Every follower is idempotent.
"""

import base64
import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from infra.deploy.clouds import Cloud
from infra.plan.queues import STREAMS_DEAD, queue_name, queue_names
from infra.plan.stages import Stage
from infra.templates.words import ALIAS

STREAMS = "streams"
ID = re.compile(r"\b[a-z]{3}_[0-9a-f]{32}\b")
# While it is looked at or redriven, nobody else receives it.
HIDDEN_SECONDS = 60


@dataclass(frozen=True)
class Letter:
    """One of them: when it was first sent, the log that it is for, the ids in it, and of a stream's what became of it."""

    sent_at: datetime
    log: str
    ids: tuple[str, ...]
    fault: str


class NotForwarded(Exception):
    """What a note tells of cannot be read any more, or its step fails on it."""


def names(stage: Stage) -> list[str]:
    """The queues that have dead letters, and the streams."""
    return [*queue_names(sandbox_bank=stage.sandbox), STREAMS]


def counts(cloud: Cloud, stage: Stage) -> dict[str, int]:
    """How many lie where; SQS counts by estimate."""
    return {name: _count(cloud, _address(cloud, stage, name)) for name in names(stage)}


def show(cloud: Cloud, stage: Stage, name: str) -> list[Letter]:
    """What lies there; of a FIFO queue the first ten of each log, because SQS gives no more at once. All of it stays."""
    address, queues, found = _address(cloud, stage, name), cloud.client("sqs"), []
    received = list(_received(cloud, address))
    for message in received:
        found.append(_letter(message))
        receipt = {"QueueUrl": address, "ReceiptHandle": message["ReceiptHandle"]}
        queues.change_message_visibility(**receipt, VisibilityTimeout=0)
    return found


def lines(letters: list[Letter]) -> list[str]:
    """Each as a line."""
    return [
        "  ".join(filter(None, [f"{one.sent_at:%Y-%m-%d %H:%M:%S}", one.log, one.fault, " ".join(one.ids)]))
        for one in letters
    ]


def redrive(cloud: Cloud, stage: Stage, name: str) -> tuple[int, int]:
    """Bring back what lies there now; says how many went back, and how many stay."""
    address, queues = _address(cloud, stage, name), cloud.client("sqs")
    back = _forwarded if name == STREAMS else _sent
    went, stay, before = 0, 0, _count(cloud, address)
    for message in _received(cloud, address):
        try:
            back(cloud, stage, name, message)
            queues.delete_message(QueueUrl=address, ReceiptHandle=message["ReceiptHandle"])
            went += 1
        except NotForwarded:
            stay += 1
        # What cannot be handled yet comes back, at once or once it is hidden no more, and must not go round and round.
        if went + stay >= before:
            break
    return went, stay


def _address(cloud: Cloud, stage: Stage, name: str) -> str:
    full_name = queue_name(stage.prefix, STREAMS_DEAD if name == STREAMS else f"{name}-dead")
    return str(cloud.client("sqs").get_queue_url(QueueName=full_name)["QueueUrl"])


def _count(cloud: Cloud, address: str) -> int:
    wanted = "ApproximateNumberOfMessages"
    told = cloud.client("sqs").get_queue_attributes(QueueUrl=address, AttributeNames=[wanted])
    return int(told["Attributes"][wanted])


def _received(cloud: Cloud, address: str) -> Iterator[dict[str, Any]]:
    """Messages until none is left that nobody has hidden."""
    asked = {"QueueUrl": address, "MaxNumberOfMessages": 10, "AttributeNames": ["All"]}
    while messages := cloud.client("sqs").receive_message(**asked, VisibilityTimeout=HIDDEN_SECONDS).get("Messages"):
        yield from messages


def _letter(message: dict[str, Any]) -> Letter:
    told, body = message["Attributes"], message["Body"]
    sent_at = datetime.fromtimestamp(int(told["SentTimestamp"]) / 1000, UTC)
    ids = tuple(dict.fromkeys(ID.findall(body)))
    return Letter(sent_at, told.get("MessageGroupId", ""), ids, _fault(body))


def _fault(body: str) -> str:
    note = _note(body)
    if batch := note.get("DDBStreamBatchInfo"):
        return f"{batch['batchSize']} records for {note['requestContext']['functionArn'].split(':')[6]}"
    return f"{note['step']}: {note['fault']}" if {"step", "fault"} <= set(note) else ""


def _note(body: str) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _sent(cloud: Cloud, stage: Stage, name: str, message: dict[str, Any]) -> None:
    queues, told = cloud.client("sqs"), message["Attributes"]
    ordered: dict[str, str] = {}
    if "MessageGroupId" in told:
        # Another name than at first: SQS would drop it as a repeat. The same one again, if this is interrupted.
        known = hashlib.sha256(f"{message['MessageId']} {told['SentTimestamp']}".encode()).hexdigest()
        ordered = {"MessageGroupId": told["MessageGroupId"], "MessageDeduplicationId": known}
    address = queues.get_queue_url(QueueName=queue_name(stage.prefix, name))["QueueUrl"]
    queues.send_message(QueueUrl=address, MessageBody=message["Body"], **ordered)


def _forwarded(cloud: Cloud, stage: Stage, name: str, message: dict[str, Any]) -> None:
    note = _note(message["Body"])
    if "DDBStreamBatchInfo" in note:
        function, records = note["requestContext"]["functionArn"], _from_stream(cloud, note["DDBStreamBatchInfo"])
    else:
        function = f"{stage.prefix}-{note['step'].replace('_', '-')}:{ALIAS}"
        records = [_from_table(cloud, stage, note)]
    payload = json.dumps({"Records": records}, default=_json)
    answer = cloud.client("lambda").invoke(FunctionName=function, Payload=payload.encode())
    if "FunctionError" in answer:
        raise NotForwarded()


def _from_table(cloud: Cloud, stage: Stage, note: dict[str, str]) -> dict[str, Any]:
    """The record of a row's insertion: what is inserted into a streamed table stays as it was."""
    keys = {"pk": {"S": note["pk"]}, "sk": {"S": note["sk"]}}
    table = f"{stage.prefix}-{note['table']}"
    found = cloud.client("dynamodb").get_item(TableName=table, Key=keys, ConsistentRead=True)
    if "Item" not in found:
        raise NotForwarded()
    source = f"arn:aws:dynamodb:{cloud.region}:{cloud.account}:table/{table}/stream/redriven"
    return {
        "eventName": "INSERT",
        "eventSource": "aws:dynamodb",
        "eventSourceARN": source,
        "dynamodb": {"Keys": keys, "NewImage": found["Item"]},
    }


def _from_stream(cloud: Cloud, batch: dict[str, Any]) -> list[dict[str, Any]]:
    """The records from the first to the last, while the stream has them: a day."""
    streams, first, last = cloud.client("dynamodbstreams"), batch["startSequenceNumber"], batch["endSequenceNumber"]
    at = {"ShardIteratorType": "AT_SEQUENCE_NUMBER", "SequenceNumber": first}
    records: list[dict[str, Any]] = []
    try:
        shard = {"StreamArn": batch["streamArn"], "ShardId": batch["shardId"]}
        iterator = streams.get_shard_iterator(**shard, **at)["ShardIterator"]
        while iterator:
            answer = streams.get_records(ShardIterator=iterator)
            for record in answer["Records"]:
                records.append(record | {"eventSourceARN": batch["streamArn"]})
                if record["dynamodb"]["SequenceNumber"] == last:
                    return records
            iterator = answer.get("NextShardIterator") if answer["Records"] else None
    except ClientError as error:
        raise NotForwarded() from error
    raise NotForwarded()


def _json(value: Any) -> str:
    """What Lambda's own JSON has for bytes; instants are read by nobody."""
    return base64.b64encode(value).decode() if isinstance(value, bytes) else str(value)
