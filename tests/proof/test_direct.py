"""The short way to the engine (`tests/cloud/direct.py`) carries what botocore's own would: requests and answers, errors too."""

import contextlib
import json
from typing import Any

import boto3
import msgspec
import pytest
from botocore.exceptions import ClientError
from botocore.parsers import create_parser
from botocore.serialize import create_serializer

from tests.cloud import direct
from tests.cloud.engine import Engine
from tests.proof.harness import Harness
from tests.proof.recordings import record
from tests.proof.scenarios import ALL

NAME = "billfold-operations"
KEY = {"pk": {"S": "opr_1"}, "sk": {"S": "operation"}}
FULL = KEY | {
    "text": {"S": 'é \u2028 "\\ 💶'},
    "number": {"N": "-10"},
    "bytes": {"B": b"\x00\xff"},
    "map": {"M": {"B": {"S": "no bytes"}, "inner": {"B": b"some"}}},
    "list": {"L": [{"NULL": True}, {"BOOL": False}, {"B": b""}]},
}
PRESENT = "attribute_exists(pk)"
# What each call is refused for, the last of all for the reasons of each of its items.
CALLS: dict[str, tuple[str, dict[str, Any]]] = {
    "put": ("PutItem", {"TableName": NAME, "Item": FULL, "ReturnConsumedCapacity": "TOTAL"}),
    "get": ("GetItem", {"TableName": NAME, "Key": KEY}),
    "batch": ("BatchGetItem", {"RequestItems": {NAME: {"Keys": [KEY]}}}),
    "query": (
        "Query",
        {"TableName": NAME, "KeyConditionExpression": "pk = :pk", "ExpressionAttributeValues": {":pk": {"S": "opr_1"}}},
    ),
    "condition": ("PutItem", {"TableName": NAME, "Item": KEY, "ConditionExpression": "attribute_not_exists(pk)"}),
    "invalid": ("PutItem", {"TableName": NAME, "Item": {"pk": {"S": "no sort key"}}}),
    "no table": ("GetItem", {"TableName": "billfold-nowhere", "Key": KEY}),
    "cancelled": (
        "TransactWriteItems",
        {
            "TransactItems": [
                {"Put": {"TableName": NAME, "Item": KEY | {"pk": {"S": "opr_2"}}}},
                {
                    "ConditionCheck": {
                        "TableName": NAME,
                        "Key": KEY,
                        "ConditionExpression": f"NOT {PRESENT}",
                        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
                    }
                },
            ]
        },
    ),
}


def _said(client: Any, action: str, arguments: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    try:
        answer, kind = client._make_api_call(action, arguments), ""
    except ClientError as error:
        answer, kind = error.response, type(error).__name__
    return kind, {name: part for name, part in answer.items() if name != "ResponseMetadata"}


@pytest.mark.parametrize("call", CALLS.values(), ids=list(CALLS))
def test_both_ways_get_the_same_answer(store: Engine, call: tuple[str, dict[str, Any]]) -> None:
    """Successes, bytes, conditions, cancellation reasons with their items, mistakes and missing tables alike."""
    client: Any = boto3.client("dynamodb")
    _said(client, *CALLS["put"])
    short = _said(client, *call)
    with direct.withdrawn():
        long = _said(client, *call)
    assert short == long


def test_every_recorded_request_and_answer_is_botocores_own(harness: Harness) -> None:
    """Every DynamoDB call of every scenario: serialized alike, and the answer as botocore would parse it."""
    client: Any = boto3.client("dynamodb")
    serializer, parser = create_serializer("json"), create_parser("json")
    compared = 0
    for scenario in ALL:
        for call in record(harness, scenario).calls:
            if call.service != "dynamodb" or call.answer is None:
                continue
            model = client.meta.service_model.operation_model(call.action)
            sent = serializer.serialize_to_request(call.arguments, model)["body"]
            assert json.loads(msgspec.json.encode(call.arguments)) == json.loads(sent)
            answer = {name: part for name, part in call.answer.items() if name != "ResponseMetadata"}
            received = {"status_code": 200, "headers": {}, "body": msgspec.json.encode(answer)}
            parsed = parser.parse(received, model.output_shape)
            assert {name: part for name, part in parsed.items() if name != "ResponseMetadata"} == answer
            compared += 1
    assert compared > len(ALL)


def test_a_write_by_either_way_is_seen_by_whoever_looks_at_a_whole_table(store: Engine) -> None:
    """What was seen last is good for as long as nobody wrote: refused writes and botocore's own way count too."""
    client: Any = boto3.client("dynamodb")
    assert store.all_of("operations") == []
    client.put_item(TableName=NAME, Item=KEY)
    assert store.all_of("operations") == [KEY]
    with direct.withdrawn(), contextlib.suppress(ClientError):
        client.transact_write_items(
            TransactItems=[{"Delete": {"TableName": NAME, "Key": KEY, "ConditionExpression": PRESENT}}]
        )
    assert store.all_of("operations") == []
