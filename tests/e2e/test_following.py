"""What follows a commit: through the table's stream, its forwarding step, a queue and the step behind it."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from infra.cast import Customer
from infra.clouds import Cloud
from infra.steps import QUEUES, SANDBOX_QUEUES

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
    """LG-09: a line in the payer's and in the payee's statement, by the ledger's stream."""
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
    dave.leave()
    assert found == ([-725], [725])


def test_every_change_of_a_bill_is_told_once(erin: Customer) -> None:
    """XX-03: opening and ending a bill are two events of its owner's feed, by the bills' stream."""
    bill_id = erin.open_bill("JPY")["id"]
    erin.close(bill_id)
    expected = ["bill.expired_empty", "bill.opened"]
    _in_time(lambda: set(expected) <= set(erin.events(bill_id)))
    assert sorted(erin.events(bill_id)) == expected


def test_no_message_became_a_dead_letter(stack: dict[str, Any]) -> None:
    """Whatever ran before: every queue's step took what it was given."""
    queues = Cloud(stack["region"], stack["account"], stack["endpoint"]).client("sqs")
    dead = [address for address in queues.list_queues()["QueueUrls"] if address.endswith("-dead")]
    assert len(dead) == len((*QUEUES, *SANDBOX_QUEUES))
    for address in dead:
        told = queues.get_queue_attributes(QueueUrl=address, AttributeNames=["ApproximateNumberOfMessages"])
        assert told["Attributes"]["ApproximateNumberOfMessages"] == "0", address
