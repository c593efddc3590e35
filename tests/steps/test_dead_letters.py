"""`python -m infra dead-letters`: what no step could handle is counted, shown without its texts, and brought back (A1)."""

import json
import uuid

import pytest

from billfold import ledger
from billfold.events import Event, event_rows
from billfold.ledger import ledger_rows
from billfold.tables.commits import Commit
from infra.deploy.clouds import Cloud
from infra.operations import dead_letters
from infra.plan import stages
from infra.plan.queues import queue_name, queue_names
from tests.cloud import delivery
from tests.cloud.queues import bodies
from tests.world import STEPS, call

LOCAL = stages.stage(stages.LOCAL)
CANARY = "a text that a customer wrote"


class Lambdas:
    """Lambda, as far as a redrive needs it: a function of this stage under its alias, by name or by ARN."""

    def invoke(self, FunctionName: str, Payload: bytes) -> dict:  # noqa: N803
        *_, name, alias = FunctionName.split(":")
        assert alias == "live"
        try:
            STEPS[name.removeprefix("billfold-").replace("-", "_")].handler(json.loads(Payload), None)
        except Exception:
            return {"FunctionError": "Unhandled"}
        return {}


@pytest.fixture
def cloud(store, queues):
    """Everything a redrive talks to, with every dead-letter queue of the stage."""
    for name in queue_names(sandbox_bank=True):
        full_name = queue_name("billfold", f"{name}-dead")
        queues.create_queue(
            QueueName=full_name, Attributes={"FifoQueue": "true"} if full_name.endswith(".fifo") else {}
        )
    clients = {"dynamodb": store.client, "dynamodbstreams": store.streams, "sqs": queues, "lambda": Lambdas()}
    return Cloud("eu-west-1", "123456789012", None, clients)


def add_change(store, person, *, kind: str) -> str:
    """A bill's first change, of a kind that may be known or not."""
    bill = "bil_" + uuid.uuid4().hex
    facts = json.dumps({"at": 1, "device": "d", "text": CANARY})
    texts = {
        "pk": bill,
        "sk": "00000001",
        "kind": kind,
        "facts": facts,
        "user": person.user_id,
        "state": "active",
        "currency": "USD",
    }
    item = {name: {"S": text} for name, text in texts.items()} | {"total": {"N": "0"}}
    store.client.put_item(TableName="billfold-bills", Item=item)
    return bill


def forward(store) -> None:
    assert STEPS["forward_bill_changes"].handler({"Records": delivery.records(store, "bills")}, None)


def told(person) -> list[tuple[str, str]]:
    return [(event["type"], event["about"]) for event in call("GET", "/v1/events", person).body["items"]]


def test_every_queue_and_the_streams_are_counted(cloud, store, visitor):
    """Where something lies, however it came there."""
    add_change(store, visitor, kind="new")
    add_change(store, visitor, kind="newer")
    forward(store)
    found = dead_letters.counts(cloud, LOCAL)
    assert set(found) == {*queue_names(sandbox_bank=True), "streams"}
    assert {name: count for name, count in found.items() if count} == {"streams": 2}


def test_what_is_shown_are_ids_and_never_texts(cloud, store, queues, visitor):
    """CB-18: operations see what it is about; looking changes nothing."""
    bill = add_change(store, visitor, kind="new")
    forward(store)
    event = Event(f"{bill}/1", "usr_other", CANARY, bill, 1, {"text": CANARY})
    batch = delivery.in_order(visitor.user_id, [event_rows.encode(event), CANARY, '{"step": 1}', "[]"])
    STEPS["record_events"].handler(batch, None)
    for _ in range(2):
        (stream,) = dead_letters.show(cloud, LOCAL, "streams")
        assert (stream.fault, stream.ids) == ("forward_bill_changes: UnknownKind", (bill,))
        feed = dead_letters.show(cloud, LOCAL, "feeds")
        assert [one.log for one in feed] == [visitor.user_id] * 4
        assert feed[0].ids == (bill,)
    assert CANARY not in "".join(dead_letters.lines([stream, *feed]))


def test_a_record_that_is_understood_by_now_is_told(cloud, store, queues, visitor):
    """A1: a newer writer's kind, and then the newer step."""
    bill = add_change(store, visitor, kind="new")
    forward(store)
    assert dead_letters.redrive(cloud, LOCAL, "streams") == (1, 0)
    assert dead_letters.counts(cloud, LOCAL)["streams"] == 1, (
        "not understood yet: it lies there again, and was tried once"
    )
    key = {"pk": {"S": bill}, "sk": {"S": "00000001"}}
    change = {":known": {"S": "opened"}}
    store.client.update_item(
        TableName="billfold-bills",
        Key=key,
        UpdateExpression="SET #kind = :known",
        ExpressionAttributeNames={"#kind": "kind"},
        ExpressionAttributeValues=change,
    )
    assert dead_letters.redrive(cloud, LOCAL, "streams") == (1, 0)
    delivery.drain(queues)
    assert told(visitor) == [("bill.opened", bill)]
    assert dead_letters.counts(cloud, LOCAL)["streams"] == 0


def test_a_batch_that_lambda_gave_up_is_read_from_the_stream_again(cloud, store, queues, visitor):
    """A1: its note holds a shard and two sequence numbers; the records between them are handed to the step."""
    bills = [add_change(store, visitor, kind="opened") for _ in range(4)]
    note(store, queues, delivery.records(store, "bills")[1:3])
    (letter,) = dead_letters.show(cloud, LOCAL, "streams")
    assert letter.fault == "2 records for billfold-forward-bill-changes"
    assert dead_letters.redrive(cloud, LOCAL, "streams") == (1, 0)
    delivery.drain(queues)
    assert told(visitor) == [("bill.opened", bill) for bill in bills[1:3]]


def note(store, queues, records: list[dict]) -> None:
    """What Lambda notes of a batch that failed for too long."""
    (shard,) = store.shards("bills")
    first, last = (record["dynamodb"]["SequenceNumber"] for record in (records[0], records[-1]))
    batch = {"shardId": shard["ShardId"], "streamArn": shard["StreamArn"], "batchSize": len(records)}
    batch |= {"startSequenceNumber": first, "endSequenceNumber": last}
    function = "arn:aws:lambda:eu-west-1:123456789012:function:billfold-forward-bill-changes:live"
    body = {
        "requestContext": {"functionArn": function, "condition": "MaxRecordAgeExceeded"},
        "DDBStreamBatchInfo": batch,
    }
    address = queues.get_queue_url(QueueName="billfold-streams-dead")["QueueUrl"]
    queues.send_message(QueueUrl=address, MessageBody=json.dumps(body))


def test_what_cannot_be_read_any_more_stays_for_somebody_to_look_at(cloud, store, queues, visitor):
    """A1: a row that is gone, a stream that has forgotten, a step that fails."""
    bill = add_change(store, visitor, kind="new")
    forward(store)
    store.client.delete_item(TableName="billfold-bills", Key={"pk": {"S": bill}, "sk": {"S": "00000001"}})
    gone = {"eventName": "INSERT", "dynamodb": {"SequenceNumber": "999999999999999999999"}}
    note(store, queues, [gone])
    assert dead_letters.redrive(cloud, LOCAL, "streams") == (0, 2)


def test_what_stays_is_tried_once_a_redrive_however_long_the_others_take(cloud, store, queues):
    """A1: a redrive of hundreds takes longer than what it received stays hidden, and ends all the same."""
    gone = {"eventName": "INSERT", "dynamodb": {"SequenceNumber": "999999999999999999999"}}
    for _ in range(3):
        note(store, queues, [gone])
    cloud = Cloud(cloud.region, cloud.account, None, cloud._clients | {"sqs": ShownAgain(queues)})
    assert dead_letters.redrive(cloud, LOCAL, "streams") == (0, 3)


class ShownAgain:
    """SQS, where a message is hidden no more by the time that the next ones are received; at most a hundred are."""

    def __init__(self, queues):
        self.queues, self.received = queues, 0

    def receive_message(self, **asked):
        self.received += 1
        assert self.received < 100, "round and round"
        return self.queues.receive_message(**asked | {"VisibilityTimeout": 0, "MaxNumberOfMessages": 1})

    def __getattr__(self, name):
        return getattr(self.queues, name)


def test_a_queue_s_dead_letters_go_back_into_it_in_their_order(cloud, store, queues, visitor):
    """LG-09: lines of transfers that the ledger did not know when they were told."""
    account = f"wallet/{visitor.user_id}/USD"
    made = [transfer(visitor, amount) for amount in range(1, 13)]
    for start in (0, 6):
        ids = [one.transfer_id for one in made[start : start + 6]]
        STEPS["record_entries"].handler(delivery.in_order(account, ids), None)
    assert dead_letters.counts(cloud, LOCAL)["statements"] == 12
    for one in made:
        commit = Commit(one.transfer_id)
        ledger_rows.add_transfer(commit, one)
        commit.send()
    assert dead_letters.redrive(cloud, LOCAL, "statements") == (12, 0)
    delivery.drain(queues)
    lines = call("GET", "/v1/wallets/USD/entries", visitor, query={"order": "oldest"}).body["items"]
    assert [line["amount"] for line in lines] == list(range(1, 13))
    assert list(bodies(queues, "statements-dead")) == []


def transfer(person, amount):
    legs = ledger.pay(ledger.funding("USD"), [(ledger.wallet(person.user_id, "USD"), amount)])
    return ledger.transfer(f"trf_{uuid.uuid4().hex}", legs, at=1, kind="top_up", reason="late")


def test_what_comes_back_at_once_does_not_go_round_and_round(cloud, store, queues, visitor):
    """A1: each is tried once a redrive."""
    dead = queues.get_queue_url(QueueName="billfold-due-bills-dead")["QueueUrl"]
    for number in range(3):
        queues.send_message(QueueUrl=dead, MessageBody=f"bil_{number}")
    assert dead_letters.redrive(cloud, LOCAL, "due-bills") == (3, 0)
    assert sorted(bodies(queues, "due-bills")) == ["bil_0", "bil_1", "bil_2"]
    assert dead_letters.redrive(cloud, LOCAL, "due-bills") == (0, 0)
