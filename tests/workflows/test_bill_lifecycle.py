"""Whole bills from opening to the last event, with every stream record and queue message delivered twice."""

import datetime as dt

import pytest
import time_machine

from tests.cloud.delivery import deliver
from tests.world import STEPS, Person, call, close, fund, joined, opened, sales, seller, tap, verify, wallet

START = dt.datetime(2026, 11, 23, 12, 0, tzinfo=dt.UTC)


@pytest.fixture
def time():
    """A clock that stands still until a test moves it."""
    with time_machine.travel(START, tick=False) as traveller:
        yield traveller


def minute_passes(store, queues):
    """The schedule's tick, and all that follows from it."""
    STEPS["find_due_bills"].handler({}, None)
    deliver(store, queues, twice=True)


def kinds(person: Person, **query: str) -> list[str]:
    """The types of all events about bills in a feed, oldest first."""
    found, after = [], ""
    while True:
        page = call(
            "GET", "/v1/events", person, query={"limit": "3", **({"after": after} if after else {}), **query}
        ).body
        found += [event["type"] for event in page["items"] if event["type"].startswith("bill.")]
        if "next" not in page:
            return found
        after = page["next"]


def state(person: Person, bill: str) -> str:
    return str(call("GET", f"/v1/bills/{bill}", person).body["state"])


def statement(person: Person, path: str, **query: str) -> list[int]:
    """The amounts of a statement, oldest first."""
    page = call("GET", path, person, query={"order": "oldest", "limit": "100", **query})
    assert page.status == 200, page
    return [entry["amount"] for entry in page.body["items"]]


def test_a_bill_is_opened_filled_closed_verified_paid_and_partly_refunded(store, queues):
    """VB-01 to VB-20 on the straight path; LG-09: every statement adds up to its balance."""
    alice, shops = joined(), [seller(name) for name in ("Bakery", "Books", "Bikes")]
    fund(alice, 10_000)
    bill = opened(alice)
    items = [
        shop.tills[0].item(bill, [("thing", 2, price)]) for shop, price in zip(shops, (150, 700, 1250), strict=True)
    ]
    assert [one["outcome"] for one in tap(alice, bill, items).body["results"]] == ["added"] * 3

    request = close(alice, bill).body["verification"]
    assert request["total"] == {"amount": 4_200, "currency": "USD"}
    paid = verify(alice, bill, request["list_hash"])
    assert paid.body["state"] == "settled"

    books = next(item["id"] for item in paid.body["items"] if item["merchant"] == shops[1].merchant)
    body = {"items": [books], "reason": "two pages missing"}
    assert call("POST", f"/v1/bills/{bill}/refunds", shops[1].admin, body).status == 201
    deliver(store, queues, twice=True)

    assert statement(alice, "/v1/wallets/USD/entries") == [10_000, -4_200, 1_400]
    assert sum(statement(alice, "/v1/wallets/USD/entries")) == wallet(alice)
    for shop, entries in zip(shops, ([300], [1_400, -1_400], [2_500]), strict=True):
        assert statement(shop.admin, f"/v1/merchants/{shop.merchant}/entries", currency="USD") == entries
        assert sum(entries) == sales(shop)
    assert kinds(alice) == [
        "bill.opened",
        "bill.items_added",
        "bill.verification_requested",
        "bill.settled",
        "bill.refunded",
    ]
    assert kinds(shops[1].admin, merchant=shops[1].merchant) == ["bill.items_added", "bill.settled", "bill.refunded"]
    assert kinds(shops[0].admin, merchant=shops[0].merchant) == ["bill.items_added", "bill.settled"]


def test_a_bill_that_nobody_closes_is_asked_for_reminded_of_and_given_up(store, queues, time):
    """VB-13, VB-16: the request at the end of the period, a reminder half way, unpaid after 30 minutes; sellers are told."""
    alice, shop = joined(), seller()
    fund(alice, 1_000)
    bill = opened(alice)
    tap(alice, bill, [shop.tills[0].item(bill, [("tea", 1, 300)], signed_at="2026-11-23T12:00:00Z")])

    time.shift(dt.timedelta(hours=4) - dt.timedelta(seconds=1))
    minute_passes(store, queues)
    assert state(alice, bill) == "active"
    time.shift(dt.timedelta(seconds=1))
    minute_passes(store, queues)
    assert state(alice, bill) == "verifying"
    for minutes, expected in ((15, "verifying"), (14, "verifying"), (1, "unpaid"), (60, "unpaid")):
        time.shift(dt.timedelta(minutes=minutes))
        minute_passes(store, queues)
        assert state(alice, bill) == expected

    told = [
        "bill.opened",
        "bill.items_added",
        "bill.verification_requested",
        "bill.verification_reminded",
        "bill.unpaid",
    ]
    assert kinds(alice) == told
    assert kinds(shop.admin, merchant=shop.merchant) == ["bill.items_added", "bill.unpaid"]
    assert wallet(alice) == 1_000


def test_a_bill_that_ends_empty_asks_for_nothing_and_frees_its_phone(store, queues, time):
    """VB-18, VB-04: no request, no transfer; the next bill can be opened on the phone at once."""
    alice = joined()
    bill = opened(alice)
    time.shift(dt.timedelta(hours=4))
    minute_passes(store, queues)
    assert state(alice, bill) == "expired_empty"
    assert kinds(alice) == ["bill.opened", "bill.expired_empty"]
    assert opened(alice) != bill


def test_a_late_tap_changes_the_list_and_the_request_comes_anew(store, queues, time):
    """VB-08, VB-14: signed within the period, delivered five minutes later; the old hash no longer verifies."""
    alice, shop = joined(), seller()
    fund(alice, 1_000)
    bill = opened(alice)
    till = shop.tills[0]
    tap(alice, bill, [till.item(bill, [("tea", 1, 300)])])
    late = till.item(bill, [("cake", 1, 200)])
    time.shift(dt.timedelta(hours=4))
    minute_passes(store, queues)
    stale = call("GET", f"/v1/bills/{bill}", alice).body["verification"]["list_hash"]

    time.shift(dt.timedelta(minutes=5))
    assert tap(alice, bill, [late]).body["results"][0]["outcome"] == "added"
    refused = verify(alice, bill, stale)
    assert (refused.status, refused.code) == (409, "list_changed")
    assert refused.body["verification"]["total"]["amount"] == 500
    assert verify(alice, bill, refused.body["verification"]["list_hash"]).body["state"] == "settled"
    assert wallet(alice) == 500


def test_too_little_money_fails_the_settlement_keeps_the_items_and_can_be_tried_again(store, queues):
    """VB-17: nothing moves, the bill is `failed`, and after a top-up the same list can be verified."""
    alice, shop = joined(), seller()
    fund(alice, 299)
    bill = opened(alice)
    tap(alice, bill, [shop.tills[0].item(bill, [("tea", 1, 300)])])
    list_hash = close(alice, bill).body["verification"]["list_hash"]

    refused = verify(alice, bill, list_hash, key="first-try")
    assert (refused.status, refused.code) == (409, "balance_too_low")
    assert state(alice, bill) == "failed"
    assert (wallet(alice), sales(shop)) == (299, 0)
    fund(alice, 1)
    assert verify(alice, bill, list_hash, key="first-try").code == "balance_too_low"
    assert verify(alice, bill, list_hash).body["state"] == "settled"
    assert (wallet(alice), sales(shop)) == (0, 300)
    deliver(store, queues, twice=True)
    assert kinds(alice)[-2:] == ["bill.settlement_failed", "bill.settled"]


def test_disputing_everything_cancels_a_bill_that_waits_for_its_verification(store, queues):
    """VB-12: what is contested is not paid; nothing left means there is nothing to verify."""
    alice, shop = joined(), seller()
    bill = opened(alice)
    item = tap(alice, bill, [shop.tills[0].item(bill, [("tea", 1, 300)])]).body["results"][0]["item"]
    close(alice, bill)
    answer = call("POST", f"/v1/bills/{bill}/items/{item}/dispute", alice)
    assert answer.body["state"] == "cancelled"
    assert "verification" not in answer.body
    deliver(store, queues, twice=True)
    assert kinds(alice)[-1] == "bill.cancelled"
    assert kinds(shop.admin, merchant=shop.merchant) == ["bill.items_added", "bill.item_disputed"]
