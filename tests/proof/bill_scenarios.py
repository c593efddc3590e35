"""Scenarios of bills that a person, a phone or a seller drives."""

from typing import Any

from tests import world
from tests.proof.harness import Harness, ago, http
from tests.proof.plays import Occasion, Scenario
from tests.proof.wallet_scenarios import WRONG_PIN
from tests.world import PIN, Person, Seller, call, joined

COFFEE = [("coffee", 1, 450)]
CAKE = [("cake", 2, 300)]


def bill_of(person: Person, bill: str) -> Any:
    """The bill as its owner sees it."""
    return call("GET", f"/v1/bills/{bill}", person).body


def tapped(harness: Harness, *, sellers: int = 1, funds: int = 10_000) -> tuple[Person, list[Seller], str]:
    """A person with money and an open bill that has one item of each seller."""
    person, shops = joined(), [world.seller(terminals=1) for _ in range(sellers)]
    if funds:
        world.fund(person, funds)
    bill = world.opened(person)
    for shop, lines in zip(shops, [COFFEE, CAKE], strict=False):
        answer = world.tap(person, bill, [shop.tills[0].item(bill, lines)])
        assert answer.body["results"][0]["outcome"] == "added", answer
    return person, shops, bill


def closed(harness: Harness, **options: Any) -> tuple[Person, list[Seller], str, str]:
    """The same, closed by the user: with the hash of the list to verify."""
    person, shops, bill = tapped(harness, **options)
    answer = world.close(person, bill)
    assert answer.status == 200, answer
    return person, shops, bill, answer.body["verification"]["list_hash"]


def settled(harness: Harness, **options: Any) -> tuple[Person, list[Seller], str]:
    """The same, verified and paid."""
    person, shops, bill, list_hash = closed(harness, **options)
    assert world.verify(person, bill, list_hash).status == 200
    return person, shops, bill


def _open(person: Person) -> Occasion:
    def effect() -> None:
        listed = call("GET", "/v1/bills", person, query={"state": "active"}).body["items"]
        assert len(listed) == 1
        assert call("GET", "/v1/devices", person).body["items"][0]["bill"] == listed[0]["id"]

    body = {"device": person.phone.device_id, "currency": "USD"}
    return Occasion(http("POST", "/v1/bills", person, body, key="open"), effect)


def _opens(harness: Harness) -> Occasion:
    return _open(joined(pin=None))


def _opens_after_another(harness: Harness) -> Occasion:
    person = joined(pin=None)
    with ago(hours=5):
        bill = world.opened(person)
        # Not handled by the queue yet, so the device still names it.
    assert bill_of(person, bill)["state"] == "active"
    person_occasion = _open(person)

    def effect() -> None:
        listed = call("GET", "/v1/bills", person).body["items"]
        assert len(listed) == 2
        assert call("GET", "/v1/devices", person).body["items"][0]["bill"] == listed[0]["id"]

    return Occasion(person_occasion.arrive, effect)


def _open_already(harness: Harness) -> Occasion:
    person = joined(pin=None)
    world.opened(person)
    return _open(person)


def _add(person: Person, bill: str, items: list[Any], total: int) -> Occasion:
    def effect() -> None:
        assert bill_of(person, bill)["total"]["amount"] == total

    body = {"items": items}
    return Occasion(http("POST", f"/v1/bills/{bill}/items", person, body, key="tap", phone=person.phone), effect)


def _empty_bill() -> tuple[Person, Seller, str]:
    person, shop = joined(pin=None), world.seller(terminals=1)
    return person, shop, world.opened(person)


def _adds_one(harness: Harness) -> Occasion:
    person, shop, bill = _empty_bill()
    return _add(person, bill, [shop.tills[0].item(bill, COFFEE)], 450)


def _adds_a_mixed_batch(harness: Harness) -> Occasion:
    person, shops, bill = tapped(harness)
    till = shops[0].tills[0]
    forged = till.item(bill, CAKE) | {"amount": 600, "counter": 99}
    return _add(person, bill, [till.item(bill, CAKE), forged, {"not": "an item"}, till.item(bill, COFFEE)], 1_500)


def _adds_a_forgery(harness: Harness) -> Occasion:
    person, shop, bill = _empty_bill()
    return _add(person, bill, [shop.tills[0].item(bill, COFFEE) | {"counter": 99}], 0)


def _adds_nothing(harness: Harness) -> Occasion:
    person, _, bill = _empty_bill()
    return _add(person, bill, [{"not": "an item"}], 0)


def _adds_late(harness: Harness) -> Occasion:
    person, shop = joined(pin=None), world.seller(terminals=1)
    with ago(hours=4, seconds=30):
        bill = world.opened(person)
        item = shop.tills[0].item(bill, COFFEE)
    return _add(person, bill, [item], 450)


def _close(person: Person, bill: str, state: str) -> Occasion:
    def effect() -> None:
        assert bill_of(person, bill)["state"] == state
        assert "bill" not in call("GET", "/v1/devices", person).body["items"][0]

    return Occasion(http("POST", f"/v1/bills/{bill}/close", person, key="close", phone=person.phone), effect)


def _closes(harness: Harness) -> Occasion:
    person, _, bill = tapped(harness)
    return _close(person, bill, "verifying")


def _closes_empty(harness: Harness) -> Occasion:
    person, _, bill = _empty_bill()
    return _close(person, bill, "expired_empty")


def _dispute(person: Person, bill: str, state: str) -> Occasion:
    item = bill_of(person, bill)["items"][0]["id"]

    def effect() -> None:
        found = bill_of(person, bill)
        assert (found["state"], found["items"][0]["state"]) == (state, "disputed")

    return Occasion(http("POST", f"/v1/bills/{bill}/items/{item}/dispute", person, key="dispute"), effect)


def _disputes(harness: Harness) -> Occasion:
    person, _, bill, _ = closed(harness, sellers=2)
    return _dispute(person, bill, "verifying")


def _disputes_the_last(harness: Harness) -> Occasion:
    person, _, bill, _ = closed(harness)
    return _dispute(person, bill, "cancelled")


def _voids(harness: Harness) -> Occasion:
    person, shops, bill = tapped(harness, sellers=2)
    item = bill_of(person, bill)["items"][0]["id"]

    def effect() -> None:
        found = bill_of(person, bill)
        assert (found["items"][0]["state"], found["total"]["amount"]) == ("voided", 600)

    return Occasion(http("DELETE", f"/v1/bills/{bill}/items/{item}", shops[0].admin), effect)


def _verify(case: tuple[Person, list[Seller], str, str], *, pin: str = PIN, state: str = "settled") -> Occasion:
    person, shops, bill, list_hash = case
    held = world.wallet(person)
    paid = [450, 600][: len(shops)] if state == "settled" else [0] * len(shops)

    def effect() -> None:
        assert world.wallet(person) == held - sum(paid)
        assert [world.sales(shop) for shop in shops] == paid
        assert bill_of(person, bill)["state"] == state

    body = {"list_hash": list_hash, "pin": pin}
    path = f"/v1/bills/{bill}/verification"
    return Occasion(http("POST", path, person, body, key="verify", phone=person.phone), effect)


def _pays_one_seller(harness: Harness) -> Occasion:
    return _verify(closed(harness))


def _pays_two_sellers(harness: Harness) -> Occasion:
    return _verify(closed(harness, sellers=2))


def _pays_after_a_wrong_try(harness: Harness) -> Occasion:
    case = closed(harness)
    assert world.verify(case[0], case[2], case[3], pin=WRONG_PIN).status == 403
    return _verify(case)


def _wrong_pin(harness: Harness) -> Occasion:
    return _verify(closed(harness), pin=WRONG_PIN, state="verifying")


def _too_little(harness: Harness) -> Occasion:
    return _verify(closed(harness, funds=0), state="failed")


def _another_list(harness: Harness) -> Occasion:
    person, shops, bill, _ = closed(harness)
    return _verify((person, shops, bill, "0" * 64), state="verifying")


def _refund(harness: Harness, sellers: int, state: str) -> Occasion:
    person, shops, bill = settled(harness, sellers=sellers)
    item = bill_of(person, bill)["items"][0]["id"]
    held = world.wallet(person)

    def effect() -> None:
        assert (world.wallet(person), world.sales(shops[0])) == (held + 450, 0)
        assert bill_of(person, bill)["state"] == state

    body = {"items": [item], "reason": "cold"}
    return Occasion(http("POST", f"/v1/bills/{bill}/refunds", shops[0].admin, body, key="refund"), effect)


def _refunds_some(harness: Harness) -> Occasion:
    return _refund(harness, 2, "partially_refunded")


def _refunds_all(harness: Harness) -> Occasion:
    return _refund(harness, 1, "refunded")


def _shows_the_owner(harness: Harness) -> Occasion:
    person, _, bill = tapped(harness)
    return Occasion(http("GET", f"/v1/bills/{bill}", person), _nothing)


def _shows_a_seller(harness: Harness) -> Occasion:
    _, shops, bill = tapped(harness)
    return Occasion(http("GET", f"/v1/bills/{bill}", shops[0].admin), _nothing)


def _lists(harness: Harness) -> Occasion:
    person, _, _ = tapped(harness)
    return Occasion(http("GET", "/v1/bills", person), _nothing)


def _nothing() -> None:
    """A step that only reads has no effect to look for."""


ALL = (
    Scenario("open_bill", "a new one", _opens, 201),
    Scenario("open_bill", "a new one where another has run out", _opens_after_another, 201),
    Scenario("open_bill", "the one that is open", _open_already),
    Scenario("get_bill", "to its owner", _shows_the_owner),
    Scenario("get_bill", "to a seller", _shows_a_seller),
    Scenario("list_bills", "one", _lists),
    Scenario("add_items", "one item", _adds_one),
    Scenario("add_items", "a batch, part of it bad", _adds_a_mixed_batch),
    Scenario("add_items", "a forgery alone", _adds_a_forgery),
    Scenario("add_items", "nothing that counts", _adds_nothing),
    Scenario("add_items", "a late item", _adds_late),
    Scenario("close_bill", "with an item", _closes),
    Scenario("close_bill", "empty", _closes_empty),
    Scenario("dispute_item", "one of two", _disputes),
    Scenario("dispute_item", "the last one", _disputes_the_last),
    Scenario("void_item", "one of two", _voids, again=(409,)),
    Scenario("verify_bill", "pays one seller", _pays_one_seller),
    Scenario("verify_bill", "pays two sellers", _pays_two_sellers),
    Scenario("verify_bill", "pays after a wrong try", _pays_after_a_wrong_try),
    Scenario("verify_bill", "a wrong PIN", _wrong_pin, 403),
    Scenario("verify_bill", "more than there is", _too_little, 409),
    Scenario("verify_bill", "another list", _another_list, 409),
    Scenario("refund_items", "one of two", _refunds_some, 201),
    Scenario("refund_items", "all", _refunds_all, 201),
)
