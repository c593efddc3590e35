"""A wallet's statement."""

import pytest

from tests import world
from tests.cloud import delivery
from tests.world import PIN, Person, call


def entries(person, currency="USD", **query):
    return call("GET", f"/v1/wallets/{currency}/entries", person, query=query or None)


def test_the_statement_adds_up_to_the_balance(store, queues, alice, visitor, shop):
    """LG-09: top-up, transfer, bill and refund, each with what it is about."""
    body = {"to": visitor.user_id, "amount": {"amount": 1000, "currency": "USD"}, "reason": "lunch", "pin": PIN}
    sent = call("POST", "/v1/transfers", alice, body).body["id"]
    bill = world.settled(alice, (shop.tills[0], 300))
    world.refund(shop.admin, bill["id"], [bill["items"][0]["id"]])
    delivery.deliver(store, queues, twice=True)
    oldest = entries(alice, order="oldest").body["items"]
    assert [(entry["amount"], entry["reason"]) for entry in oldest] == [
        (100_000, "top-up"),
        (-1000, "lunch"),
        (-300, "bill"),
        (300, "refund"),
    ]
    assert oldest[1]["transfer"] == sent
    assert [entry.get("about") for entry in oldest[2:]] == [bill["id"]] * 2
    assert sum(entry["amount"] for entry in oldest) == world.wallet(alice)
    assert entries(alice).body["items"] == oldest[::-1]


@pytest.mark.parametrize("reason", ["bill", "refund", "top-up", "top_up", "Refund ", "pay_out", "transfer"])
def test_no_text_of_a_person_looks_like_the_systems_own_line(store, queues, alice, visitor, shop, reason):
    """XX-03, VB-20: what a line is stands apart from what somebody wrote, on both statements and in the transfer."""
    body = {"to": visitor.user_id, "amount": {"amount": 300, "currency": "USD"}, "reason": reason, "pin": PIN}
    sent = call("POST", "/v1/transfers", alice, body).body
    bill = world.settled(alice, (shop.tills[0], 300))
    world.refund(shop.admin, bill["id"], [bill["items"][0]["id"]])
    delivery.deliver(store, queues)
    kinds = [(entry["kind"], entry["amount"]) for entry in entries(alice, order="oldest").body["items"]]
    assert kinds == [("top_up", 100_000), ("transfer", -300), ("bill", -300), ("refund", 300)]
    assert [(entry["kind"], entry["reason"]) for entry in entries(visitor).body["items"]] == [("transfer", reason)]
    assert (sent["kind"], sent["reason"]) == ("transfer", reason)


def test_nobody_sees_anothers_statement(store, queues, alice):
    """XX-05: the path has no user in it, so there is none to guess."""
    delivery.deliver(store, queues)
    assert len(entries(alice).body["items"]) == 1
    assert entries(Person()).body == {"items": []}


@pytest.mark.parametrize("currency", ["usd", "XXX", "DOLLARS", "usr_0192f1c0", "U5$"])
def test_an_unknown_currency_is_refused(alice, currency):
    """With a pointer to the parameter."""
    answer = entries(alice, currency)
    assert (answer.status, answer.body["pointer"]) == (400, "/currency")
