"""Roles under enforcement: every step did its work with what its own role allows, and no more is allowed (XX-06)."""

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from infra.clients.api import Client, Refusal
from infra.clients.phones import Till
from infra.demo import bills
from infra.demo.cast import CURRENCY, Customer, Shop
from infra.deploy.clouds import Cloud
from infra.plan import stages
from infra.plan.steps import Step, load
from tests.cloud.log_events import log_events

PREFIX = stages.stage(stages.LOCAL).prefix
STEPS = {step.name: step for step in load()}


@pytest.fixture
def cloud(stack: dict[str, Any]) -> Cloud:
    """The local cloud, as its owner may use it."""
    return Cloud(stack["region"], stack["account"], stack["endpoint"])


@pytest.fixture
def erin(stack: dict[str, Any]) -> Iterator[Customer]:
    customer = Customer(stack, "erin")
    yield customer
    customer.leave()


@pytest.fixture
def shop(stack: dict[str, Any]) -> Iterator[Shop]:
    shop = Shop(stack, stack["merchants"][0])
    yield shop
    shop.leave()


def test_void_and_dispute_have_the_roles_they_need(erin: Customer, shop: Shop) -> None:
    """VB-12 where roles are enforced: the seller takes one item back, the user contests the other."""
    bill_id = bills.open_bill(erin, CURRENCY)["id"]
    items = [till.item(bill_id, [("Tea", 1, 210)]) for till in shop.tills]
    voided, disputed = (result["item"] for result in bills.tap(erin, bill_id, items)["results"])
    shop.api.delete(f"/v1/bills/{bill_id}/items/{voided}")
    erin.api.post(f"/v1/bills/{bill_id}/items/{disputed}/dispute")
    assert [item["state"] for item in bills.read(erin, bill_id)["items"]] == ["voided", "disputed"]
    assert bills.close(erin, bill_id)["state"] == "expired_empty"
    assert bill_id in [bill["id"] for bill in erin.api.everything("/v1/bills")]


def test_terminals_and_devices_have_the_roles_they_need(erin: Customer, shop: Shop) -> None:
    """What the demo does not meet: lists, and the revocation of a terminal."""
    body = {"merchant": shop.merchant, "name": "for a day", "public_key": Till().public_key}
    terminal = shop.api.post("/v1/terminals", body)["id"]
    shop.api.delete(f"/v1/terminals/{terminal}")
    listed = {one["id"]: one for one in shop.api.everything(f"/v1/merchants/{shop.merchant}/terminals")}
    assert "revoked_at" in listed[terminal]
    assert erin.device in [device["id"] for device in erin.api.everything("/v1/devices")]
    assert erin.api.call("GET", "/v1/openapi.json").status == 200


def test_a_hold_past_its_deadline_is_released_under_enforced_roles(cloud: Cloud, erin: Customer) -> None:
    """LG-05: schedule, queue and step. No call of the API places holds yet, so the row is put as `ledger_rows` would."""
    before = erin.wallet(CURRENCY)
    hold_id = f"hld_{time.time_ns():032x}"
    _place_hold(cloud, hold_id, erin.user_id, 500)
    assert erin.wallet(CURRENCY) == before - 500
    _run(cloud, "find_due_holds")
    deadline = time.monotonic() + 30
    while erin.wallet(CURRENCY) != before and time.monotonic() < deadline:
        time.sleep(0.2)
    assert erin.wallet(CURRENCY) == before


@pytest.mark.usefixtures("played")
def test_the_daily_work_on_cards_has_the_roles_it_needs(cloud: Cloud, erin: Customer) -> None:
    """CB-19, CB-21: what a day brings by itself, here at once; and what the demo's owner of a card does not ask for."""
    cards = erin.api.everything("/v1/cards")
    assert {card["state"] for card in cards} == {"active", "removed"}
    card = next(card["id"] for card in cards if card["state"] == "active")
    assert erin.api.call("POST", f"/v1/cards/{card}/challenge/resend", key="too-late").status == 409
    for step in ("find_old_seals", "find_due_photos", "find_due_cards", "reconcile_charges"):
        _run(cloud, step)
    queues = cloud.client("sqs")
    for name, body in (("reseals", card), ("due-photos", "pho_of_nobody"), ("due-cards", card)):
        queues.send_message(QueueUrl=queues.get_queue_url(QueueName=f"{PREFIX}-{name}")["QueueUrl"], MessageBody=body)
    deadline = time.monotonic() + 30
    waiting = [STEPS[name] for name in ("reseal_card", "expire_card_photos", "expire_cards", "compare_charges")]
    while not all(_lines(cloud, step) for step in waiting) and time.monotonic() < deadline:
        time.sleep(0.3)
    assert all(_lines(cloud, step) for step in waiting)


def _run(cloud: Cloud, step: str) -> None:
    """A scheduled step, now."""
    answer = cloud.client("lambda").invoke(FunctionName=f"{STEPS[step].function(PREFIX)}:live", Payload=b"{}")
    told = answer["Payload"].read()
    assert "FunctionError" not in answer, (step, told)


def _place_hold(cloud: Cloud, hold_id: str, user_id: str, amount: int) -> None:
    """A hold that expired a second ago, and its money moved from available to held."""
    past = str(int(time.time() - 1) * 1000)
    account = f"wallet/{user_id}"
    table = f"{PREFIX}-ledger"
    row = {
        "pk": {"S": hold_id},
        "sk": {"S": "hold"},
        "account": {"S": f"{account}/{CURRENCY}"},
        "amount": {"N": str(amount)},
        "expires_at": {"N": past},
        "state": {"S": "pending"},
        "posted": {"N": "0"},
        "due_shard": {"S": "holds#0"},
        "due_at": {"N": past},
    }
    balance = {
        "TableName": table,
        "Key": {"pk": {"S": account}, "sk": {"S": CURRENCY}},
        "UpdateExpression": "ADD available :less, held :more",
        "ExpressionAttributeValues": {":less": {"N": str(-amount)}, ":more": {"N": str(amount)}},
    }
    writes = [{"Put": {"TableName": table, "Item": row}}, {"Update": balance}]
    cloud.client("dynamodb").transact_write_items(TransactItems=writes)


@pytest.mark.usefixtures("played")
def test_every_step_has_run_under_its_role(cloud: Cloud) -> None:
    """After the demo and the tests above no step is left whose role was not put to the test."""
    silent = [name for name, step in STEPS.items() if not _lines(cloud, step)]
    assert silent == []


@pytest.mark.usefixtures("played")
def test_no_step_was_ever_denied_anything(cloud: Cloud) -> None:
    """A denial would show as 503 and be retried by clients and queues; the logs would still tell."""
    denied = {name: line for name, step in STEPS.items() for line in _lines(cloud, step) if "AccessDenied" in line}
    assert denied == {}


def test_a_role_that_lacks_a_right_is_felt(cloud: Cloud, erin: Customer) -> None:
    """Enforcement is on: without its one right `list_wallets` answers 503; otherwise the tests above would prove nothing."""
    function = cloud.client("lambda").get_function_configuration(FunctionName=f"{PREFIX}-list-wallets")
    role, iam = function["Role"].rpartition("/")[2], cloud.client("iam")
    policy = iam.get_role_policy(RoleName=role, PolicyName="may")["PolicyDocument"]
    without = policy | {"Statement": [one for one in policy["Statement"] if "dynamodb:Query" not in one["Action"]]}
    assert len(without["Statement"]) == len(policy["Statement"]) - 1
    iam.put_role_policy(RoleName=role, PolicyName="may", PolicyDocument=json.dumps(without))
    try:
        with Client(erin.api.address, erin.api.token, tries=1) as once, pytest.raises(Refusal) as refusal:
            once.get("/v1/wallets")
    finally:
        iam.put_role_policy(RoleName=role, PolicyName="may", PolicyDocument=json.dumps(policy))
    assert (refusal.value.status, refusal.value.code) == (503, "unavailable")
    assert erin.wallet(CURRENCY) >= 0


def _lines(cloud: Cloud, step: Step) -> list[str]:
    """What a step has logged."""
    return [event["message"] for event in log_events(cloud.client("logs"), f"/aws/lambda/{step.function(PREFIX)}")]
