"""send_bank_callbacks: what the sandbox bank tells is told when it is due, over real HTTP, and again when it was not taken."""

import base64
import hashlib
import hmac
import json
import os

import pytest

from billfold import clock
from billfold.banks.sandbox import derived_key
from functions.sandbox_bank import send_bank_callbacks
from tests.cloud import bank_server
from tests.cloud.delivery import sqs_event
from tests.world.bank_fixtures import authentication, card


def told(bank, reference, due_at=0, copies=1, forged=False):
    """What the step answers to a message."""
    message = {"reference": reference, "due_at": due_at, "copies": copies, "forged": forged}
    return send_bank_callbacks.handler(sqs_event([json.dumps(message)]), None)


@pytest.fixture
def reference(sandbox):
    return sandbox.authenticate("key", authentication(card("charge_told"))).reference


def test_a_callback_is_signed_over_its_id_time_and_body(bank, receiver, reference):
    """Standard Webhooks: checked here by hand of this test."""
    assert told(bank, reference) == {"batchItemFailures": []}
    (received,) = receiver.received
    sent = {name.lower(): value for name, value in received.headers.items()}
    text = f"{sent['webhook-id']}.{sent['webhook-timestamp']}.{received.body}"
    digest = hmac.new(derived_key(bank_server.SECRET, "callbacks"), text.encode(), hashlib.sha256).digest()
    assert sent["webhook-signature"] == "v1," + base64.b64encode(digest).decode()
    assert json.loads(received.body)["outcome"] == "approved"


def test_one_that_is_not_due_yet_waits_in_the_queue(bank, queues, receiver, reference):
    """SQS delays by 15 minutes at most, so a longer wait goes round again."""
    told(bank, reference, due_at=clock.now() + 20 * clock.MINUTE)
    assert receiver.received == []
    attributes = queues.get_queue_attributes(
        QueueUrl=os.environ["BILLFOLD_QUEUE_BANK_CALLBACKS"], AttributeNames=["All"]
    )["Attributes"]
    assert attributes["ApproximateNumberOfMessagesDelayed"] == "1"


@pytest.mark.parametrize("status", [401, 500, None])
def test_one_that_is_not_taken_is_sent_again(bank, receiver, reference, status):
    """A refusal, a fault or a cut connection: the message comes again."""
    receiver.status = status
    assert told(bank, reference)["batchItemFailures"] == [{"itemIdentifier": "message-0"}]
    receiver.status = 200
    assert told(bank, reference) == {"batchItemFailures": []}
    ids = {received.headers["Webhook-Id"] for received in receiver.received}
    assert len(ids) == 1


def test_a_forged_one_is_sent_once_only(bank, receiver, reference):
    """It is meant to be refused."""
    receiver.status = 401
    assert told(bank, reference, forged=True) == {"batchItemFailures": []}
    assert len(receiver.received) == 1


def test_nothing_is_told_of_what_was_withdrawn(bank, sandbox, receiver, reference):
    """CB-14: the merchant no longer wants it."""
    sandbox.withdraw("withdrawal", reference)
    told(bank, reference)
    assert receiver.received == []
