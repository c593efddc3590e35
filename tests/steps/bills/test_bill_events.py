"""What a bill's owner and its sellers hear of it, through streams and queues (XX-03, XX-05)."""

import pytest

from tests import world
from tests.cloud import delivery
from tests.cloud.delivery import sqs_event
from tests.world import Person, call, close, tap


@pytest.fixture
def heard(store, queues):
    """A function: the events of a person's own feed, or of their merchant's, about this bill."""

    def read(person: Person, bill: str, merchant: str = "") -> list[tuple[str, dict]]:
        delivery.deliver(store, queues, twice=True)
        answer = call(
            "GET", "/v1/events", person, query={"limit": "100"} | ({"merchant": merchant} if merchant else {})
        )
        return [(event["type"], event["data"]) for event in answer.body["items"] if event["about"] == bill]

    return read


def kinds(events) -> list[str]:
    return sorted(kind for kind, _ in events)


def requests(events) -> list[int]:
    """The totals of the lists that the owner was asked to verify."""
    return [data["total"]["amount"] for kind, data in events if kind == "bill.verification_requested"]


def end(bill: str) -> None:
    assert world.STEPS["end_bills"].handler(sqs_event([bill]), None) == {"batchItemFailures": []}


def opened_with_late_tap(person, till, later, *early):
    """A bill that its period has ended, with what landed in time, and an item that was signed in time."""
    bill = world.opened(person, period_seconds=300)
    if early:
        tap(person, bill, [till.item(bill, [("tea", 1, amount)]) for amount in early])
    late = till.item(bill, [("cake", 1, 400)])
    later(minutes=5, seconds=5)
    end(bill)
    return bill, late


def test_a_late_tap_that_revives_an_empty_bill_asks_its_user(alice, shop, later, heard):
    """VB-08, VB-13: the bill ended empty, so nobody was asked before."""
    bill, late = opened_with_late_tap(alice, shop.tills[0], later)
    assert requests(heard(alice, bill)) == []
    tap(alice, bill, [late])
    events = heard(alice, bill)
    assert requests(events) == [400]
    assert kinds(events)[-2:] == ["bill.opened", "bill.verification_requested"]
    assert "bill.items_added" in kinds(events)


def test_a_late_tap_on_a_list_that_waits_asks_for_the_new_list(alice, shop, later, heard):
    """VB-08, VB-14: with the new total; each late batch once."""
    bill, late = opened_with_late_tap(alice, shop.tills[0], later, 150)
    other = shop.tills[0].item(bill, [("bun", 1, 50)], signed_at=late["signed_at"])
    for items in ([late], [late], [other]):
        tap(alice, bill, items)
    assert requests(heard(alice, bill)) == [150, 550, 600]


def test_a_late_batch_of_which_nothing_lands_asks_nobody(alice, shop, later, heard):
    """VB-07, VB-14: a forged item is recorded, and the list is as it was."""
    bill, late = opened_with_late_tap(alice, shop.tills[0], later, 150)
    tap(alice, bill, [late | {"lines": [{"name": "gold", "quantity": 1, "unit_amount": 400}]}])
    assert requests(heard(alice, bill)) == [150]


def test_a_dispute_of_a_list_that_waits_asks_for_the_new_list(alice, shop, cafe, heard):
    """VB-12, VB-14: the other phones of the owner hear it too; with nothing left there is nothing to ask."""
    bill = world.to_verify(alice, (shop.tills[0], 300), (cafe.tills[0], 400))
    for item, left in zip(bill["items"], ([700, 400], [700, 400]), strict=True):
        call("POST", f"/v1/bills/{bill['id']}/items/{item['id']}/dispute", alice)
        assert requests(heard(alice, bill["id"])) == left
    assert kinds(heard(alice, bill["id"])).count("bill.cancelled") == 1


def test_a_failed_payment_asks_for_no_list_that_was_asked_for(shop, heard):
    """VB-17: the list is the same; without enough money the failure is the news."""
    person = world.joined()
    bill = world.to_verify(person, (shop.tills[0], 300))
    assert world.verify(person, bill["id"], bill["verification"]["list_hash"]).code == "balance_too_low"
    assert requests(heard(person, bill["id"])) == [300]


def test_a_seller_hears_and_sees_nothing_of_another(alice, shop, cafe, heard):
    """XX-05: not in the bill's state, nor in the events; the other's refund, dispute and count of changes stay unseen."""
    bill = world.settled(alice, (shop.tills[0], 300), (cafe.tills[0], 400))
    before = world.shown(shop.admin, bill["id"]), heard(shop.admin, bill["id"], shop.merchant)
    world.refund(cafe.admin, bill["id"], [bill["items"][1]["id"]])
    assert (world.shown(shop.admin, bill["id"]), heard(shop.admin, bill["id"], shop.merchant)) == before
    assert before[0]["state"] == "settled"
    assert before[1] == [("bill.items_added", {"state": "active"}), ("bill.settled", {"state": "settled"})]
    assert world.shown(cafe.admin, bill["id"])["state"] == "refunded"
    assert heard(cafe.admin, bill["id"], cafe.merchant)[-1] == ("bill.refunded", {"state": "refunded"})
    assert world.shown(alice, bill["id"])["state"] == "partially_refunded"


def test_a_seller_whose_last_item_is_disputed_cannot_tell_whether_others_are_left(alice, shop, cafe, heard):
    """XX-05: alone on the bill or not, it is a dispute, and the bill is cancelled to this seller."""
    seen = []
    for others in ([], [(cafe.tills[0], 400)]):
        bill = world.to_verify(alice, (shop.tills[0], 300), *others)
        call("POST", f"/v1/bills/{bill['id']}/items/{bill['items'][0]['id']}/dispute", alice)
        told = heard(shop.admin, bill["id"], shop.merchant)
        seen.append((world.shown(shop.admin, bill["id"])["state"], told))
    assert seen[0] == seen[1]
    assert seen[0] == (
        "cancelled",
        [("bill.items_added", {"state": "active"}), ("bill.item_disputed", {"state": "cancelled"})],
    )


def test_a_refused_void_tells_the_seller_its_own_state_of_the_bill(alice, shop, cafe):
    """XX-05: that another seller refunded is not in the refusal either."""
    bill = world.settled(alice, (shop.tills[0], 300), (cafe.tills[0], 400))
    world.refund(cafe.admin, bill["id"], [bill["items"][1]["id"]])
    answer = call("DELETE", f"/v1/bills/{bill['id']}/items/{bill['items'][0]['id']}", shop.admin)
    assert (answer.status, answer.body["state"]) == (409, "settled")


def test_an_owner_who_lacks_money_is_no_news_for_a_seller(shop):
    """XX-05: until it is paid or given up, the bill waits for its owner."""
    person = world.joined()
    bill = world.to_verify(person, (shop.tills[0], 300))
    world.verify(person, bill["id"], bill["verification"]["list_hash"])
    assert world.shown(person, bill["id"])["state"] == "failed"
    assert world.shown(shop.admin, bill["id"])["state"] == "verifying"
    assert close(person, bill["id"]).code == "bill_state_conflict"
