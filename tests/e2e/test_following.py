"""What follows a commit: through the table's stream, its forwarding step, a queue and the step behind it."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from infra.demo import bills
from infra.demo.cast import Customer
from infra.deploy.clouds import Cloud
from infra.operations import dead_letters
from infra.plan import stages

FOLLOW_SECONDS = 30


@pytest.fixture
def erin(stack: dict[str, Any]) -> Iterator[Customer]:
    """A customer whom the demo leaves alone, with a new phone."""
    customer = Customer(stack, "erin")
    yield customer
    customer.leave()


def _in_time(look: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + FOLLOW_SECONDS
    while not (found := look()) and time.monotonic() < deadline:
        time.sleep(0.2)
    return found


def test_a_transfer_reaches_both_statements(stack: dict[str, Any], erin: Customer) -> None:
    """LG-09, XX-03: a line in the payer's and in the payee's statement and an event for each, by the ledger's stream."""
    dave = Customer(stack, "dave")
    body = {
        "to": dave.user_id,
        "amount": {"amount": 725, "currency": "EUR"},
        "reason": "for the tickets",
        "pin": erin.pin,
    }
    transfer = erin.api.post("/v1/transfers", body)["id"]

    def amounts(owner: Customer) -> list[int]:
        return [line["amount"] for line in owner.statement("EUR") if line["transfer"] == transfer]

    found = _in_time(lambda: amounts(erin)), _in_time(lambda: amounts(dave))
    told = _in_time(lambda: erin.events(transfer)), _in_time(lambda: dave.events(transfer))
    dave.leave()
    assert found == ([-725], [725])
    assert told == (["transfer.sent"], ["transfer.received"])


def test_every_change_of_a_bill_is_told_once(erin: Customer) -> None:
    """XX-03: opening and ending a bill are two events of its owner's feed, by the bills' stream."""
    bill_id = bills.open_bill(erin, "JPY")["id"]
    bills.close(erin, bill_id)
    expected = ["bill.expired_empty", "bill.opened"]
    _in_time(lambda: set(expected) <= set(erin.events(bill_id)))
    assert sorted(erin.events(bill_id)) == expected


def test_no_message_became_a_dead_letter(stack: dict[str, Any]) -> None:
    """Whatever ran before: every queue's step took what it was given, and every stream's."""
    cloud = Cloud(stack["region"], stack["account"], stack["endpoint"])
    found = dead_letters.counts(cloud, stages.stage(stages.LOCAL))
    assert found == dict.fromkeys(found, 0)


def test_what_no_step_can_handle_is_laid_aside_shown_and_brought_back(stack: dict[str, Any], erin: Customer) -> None:
    """A1 on the local cloud: a change of a kind that nobody knows holds nobody up; known at last, it is told."""
    cloud, local = Cloud(stack["region"], stack["account"], stack["endpoint"]), stages.stage(stages.LOCAL)
    bill = f"bil_{time.time_ns():032x}"
    texts = {"pk": bill, "sk": "00000001", "kind": "newer", "user": erin.user_id, "state": "active", "currency": "USD"}
    item = {name: {"S": text} for name, text in texts.items()} | {"total": {"N": "0"}, "facts": {"S": '{"at":1}'}}
    table, key = f"{local.prefix}-bills", {name: item[name] for name in ("pk", "sk")}
    cloud.client("dynamodb").put_item(TableName=table, Item=item)
    assert _in_time(lambda: dead_letters.counts(cloud, local)["streams"]) == 1
    assert [(one.ids, one.fault) for one in dead_letters.show(cloud, local, "streams")] == [
        ((bill,), "forward_bill_changes: UnknownKind")
    ]
    cloud.client("dynamodb").put_item(TableName=table, Item=item | {"kind": {"S": "opened"}})
    assert dead_letters.redrive(cloud, local, "streams") == (1, 0)
    assert _in_time(lambda: erin.events(bill)) == ["bill.opened"]
    cloud.client("dynamodb").delete_item(TableName=table, Key=key)
