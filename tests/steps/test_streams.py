"""What a new row means to several followers is sent to all of them, or the row is laid aside and sent to none (XX-03)."""

import json

from billfold.triggers import stream
from tests.cloud.queues import bodies

ARN = "arn:aws:dynamodb:eu-west-1:000000000000:table/billfold-bills/stream/2026"


def record(pk, *, event_name="INSERT"):
    keys = {"pk": {"S": pk}, "sk": {"S": "#"}}
    return {"eventName": event_name, "eventSourceARN": ARN, "dynamodb": {"Keys": keys, "NewImage": keys}}


def first(image):
    return [("charges", image["pk"]["S"])]


def second(image):
    """It understands all but one row, and says so after it has said something."""
    yield ("reseals", image["pk"]["S"])
    if image["pk"]["S"] == "bil_odd":
        raise LookupError("a newer writer's")


def test_a_row_that_one_follower_cannot_understand_is_sent_to_none_and_the_others_go_on(queues):
    """Its keys are laid aside, so that it can be sent once to everybody when the follower has learnt it."""
    handler = stream.forward("functions.bills.forward_rows", first, second)
    changed = [record("bil_1"), record("bil_odd"), record("bil_2", event_name="MODIFY"), record("bil_3")]
    assert handler({"Records": changed}, None) == {"batchItemFailures": []}
    assert sorted(bodies(queues, "charges")) == sorted(bodies(queues, "reseals")) == ["bil_1", "bil_3"]
    (aside,) = map(json.loads, bodies(queues, "streams-dead"))
    assert aside == {"step": "forward_rows", "table": "bills", "pk": "bil_odd", "sk": "#", "fault": "LookupError"}
