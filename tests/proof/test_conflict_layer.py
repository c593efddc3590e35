"""The layer that gives the engine DynamoDB's transaction conflicts, on which the measures of hot accounts rest (LG-08)."""

import threading
import time
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from billfold.errors import Busy
from billfold.ledger import ledger_rows
from tests import world
from tests.bench import conflicts
from tests.cloud.engine import Engine

TOOK_SECONDS = 1.0


@pytest.fixture
def layered(store: Engine) -> Any:
    """A client through a layer whose transactions take a second, and the layer's address."""
    with conflicts.layer(store.url, TOOK_SECONDS) as url:
        yield boto3.client("dynamodb", endpoint_url=url), url


def _put(pk: str) -> dict[str, Any]:
    return {"Put": {"TableName": "billfold-ledger", "Item": {"pk": {"S": pk}, "sk": {"S": "USD"}}}}


def _update(pk: str) -> dict[str, Any]:
    key = {"pk": {"S": pk}, "sk": {"S": "USD"}}
    added = {"UpdateExpression": "ADD available :one", "ExpressionAttributeValues": {":one": {"N": "1"}}}
    return {"Update": {"TableName": "billfold-ledger", "Key": key, **added}}


def _in_flight(client: Any, url: str, items: list[dict[str, Any]]) -> threading.Thread:
    """A transaction that has reached the layer, and is under way, when this returns."""
    before = conflicts.counts(url)["transactions"]
    thread = threading.Thread(target=client.transact_write_items, kwargs={"TransactItems": items})
    thread.start()
    until = time.monotonic() + 20
    while conflicts.counts(url)["transactions"] == before:
        assert time.monotonic() < until, "the transaction never arrived"
        time.sleep(0.01)
    return thread


def test_a_transaction_that_touches_an_item_in_flight_is_cancelled_at_that_item(layered: Any, store: Engine) -> None:
    """As DynamoDB says it: one reason per item, TransactionConflict where it met the other, and nothing written."""
    client, url = layered
    first = _in_flight(client, url, [_update("hot"), _put("one")])
    with pytest.raises(ClientError) as cancelled:
        client.transact_write_items(TransactItems=[_put("two"), _update("hot")])
    first.join()

    assert cancelled.value.response["Error"]["Code"] == "TransactionCanceledException"
    reasons = cancelled.value.response["CancellationReasons"]
    assert [reason["Code"] for reason in reasons] == ["None", "TransactionConflict"]
    assert sorted(row["pk"]["S"] for row in store.rows("ledger")) == ["hot", "one"]
    assert conflicts.counts(url) == {"transactions": 2, "conflicts": 1}


def test_transactions_on_other_items_run_beside_each_other(layered: Any, store: Engine) -> None:
    """The same partition key with another sort key, or another table, is another item."""
    client, url = layered
    first = _in_flight(client, url, [_update("hot")])
    other = _update("hot")
    other["Update"]["Key"]["sk"] = {"S": "EUR"}
    client.transact_write_items(TransactItems=[other, _update("cold")])
    first.join()

    assert len(store.rows("ledger")) == 3
    assert conflicts.counts(url)["conflicts"] == 0


def test_an_item_is_free_again_after_its_transaction(layered: Any, store: Engine) -> None:
    """Also after one that a condition cancelled, and reads and single writes never wait."""
    client, _ = layered
    refused = _put("hot")
    refused["Put"]["ConditionExpression"] = "attribute_exists(pk)"
    with pytest.raises(ClientError, match="ConditionalCheckFailed"):
        client.transact_write_items(TransactItems=[refused])
    client.transact_write_items(TransactItems=[_update("hot")])

    began = time.monotonic()
    found = client.get_item(TableName="billfold-ledger", Key={"pk": {"S": "hot"}, "sk": {"S": "USD"}})
    assert found["Item"]["available"] == {"N": "1"}
    assert time.monotonic() - began < TOOK_SECONDS


def test_money_that_meets_conflicts_moves_exactly_once(
    layered: Any, store: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A commit is sent again after a conflict and says Busy when conflicts go on; nothing is half done (LG-04, LG-07)."""
    _, url = layered
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", url)
    person = world.Person()
    assert ledger_rows.wallets(person.user_id) == []
    first = _in_flight(boto3.client("dynamodb", endpoint_url=url), url, [_put(f"wallet/{person.user_id}")])
    try:
        _fund_patiently(person, 700)
        assert ledger_rows.wallets(person.user_id)[0][1].posted == 700
    finally:
        first.join()

    transfers = [row for row in store.rows("ledger") if row["sk"]["S"] == "transfer"]
    assert len(transfers) == 1
    assert conflicts.counts(url)["conflicts"] >= 1


def _fund_patiently(person: world.Person, amount: int) -> None:
    for _ in range(20):
        try:
            return world.fund(person, amount)
        except Busy:
            continue
    raise AssertionError("the item never came free")
