"""Verifying a bill's exact list, once, and paying every seller."""

import uuid

import pytest

from tests import world
from tests.world import Person, call, verify


@pytest.fixture
def bill(alice, shop, cafe):
    """A closed bill of 7.00 from two sellers."""
    return world.to_verify(alice, (shop.tills[0], 300), (cafe.tills[0], 400))


def list_hash(bill):
    return bill["verification"]["list_hash"]


def test_one_debit_pays_every_seller(alice, shop, cafe, bill):
    """VB-17, LG-01: one transfer, one credit per seller."""
    before = (world.wallet(alice), world.sales(shop), world.sales(cafe))
    answer = verify(alice, bill["id"], list_hash(bill))
    assert (answer.status, answer.body["state"]) == (200, "settled")
    assert {item["state"] for item in answer.body["items"]} == {"settled"}
    assert (world.wallet(alice), world.sales(shop), world.sales(cafe)) == (
        before[0] - 700,
        before[1] + 300,
        before[2] + 400,
    )
    transfer = call("GET", f"/v1/transfers/{answer.body['transfer']}", alice).body
    assert (transfer["amount"]["amount"], transfer["about"]) == (700, bill["id"])
    assert sorted(transfer["payees"]) == sorted([shop.merchant, cafe.merchant])


def test_a_bill_is_paid_once(alice, bill):
    """VB-17: a second verification, not a repeat, hears that it is settled."""
    verify(alice, bill["id"], list_hash(bill))
    answer = verify(alice, bill["id"], list_hash(bill))
    assert (answer.status, answer.code, answer.body["state"]) == (409, "bill_state_conflict", "settled")
    assert world.wallet(alice) == 100_000 - 700


def test_another_list_is_refused_with_the_current_one(alice, bill):
    """VB-14: what is verified is what was shown."""
    answer = verify(alice, bill["id"], "0" * 64)
    assert (answer.status, answer.code) == (409, "list_changed")
    assert answer.body["verification"] == bill["verification"]
    assert world.wallet(alice) == 100_000


def test_wrong_pins_are_counted_and_the_third_locks(alice, bill, later):
    """VB-15: the answer says how many tries are left; nothing is paid; after 15 minutes a right one pays."""
    answers = [verify(alice, bill["id"], list_hash(bill), pin="000001") for _ in range(3)]
    assert [(answer.code, answer.body["tries_left"]) for answer in answers] == [
        ("pin_wrong", 2),
        ("pin_wrong", 1),
        ("pin_locked", 0),
    ]
    assert answers[2].headers["Retry-After"] == "900"
    assert verify(alice, bill["id"], list_hash(bill)).code == "pin_locked"
    assert world.shown(alice, bill["id"])["verification"]["tries_left"] == 0
    assert world.wallet(alice) == 100_000
    later(minutes=15, seconds=1)
    assert verify(alice, bill["id"], list_hash(bill)).status == 200


def test_a_right_pin_clears_the_wrong_tries(alice, shop, bill):
    """VB-15: three in a row lock, not three in a life."""
    for _ in range(2):
        verify(alice, bill["id"], list_hash(bill), pin="000001")
    verify(alice, bill["id"], list_hash(bill))
    following = world.to_verify(alice, (shop.tills[0], 100))
    assert following["verification"]["tries_left"] == 3


def test_a_wrong_list_is_no_try_of_the_pin(alice, bill):
    """VB-14, VB-15: the list is judged first."""
    verify(alice, bill["id"], "0" * 64, pin="000001")
    assert world.shown(alice, bill["id"])["verification"]["tries_left"] == 3


def test_without_a_pin_nothing_can_be_verified(visitor, shop):
    """VB-14: a PIN must have been set."""
    bill = world.to_verify(visitor, (shop.tills[0], 300))
    assert verify(visitor, bill["id"], list_hash(bill)).code == "pin_missing"


def test_not_enough_money_fails_the_bill_and_keeps_its_items(shop, cafe):
    """VB-17, LG-06: all or nothing; with more money it can be verified again."""
    person = world.joined()
    world.fund(person, 699)
    before = world.sales(shop)
    bill = world.to_verify(person, (shop.tills[0], 300), (cafe.tills[0], 400))
    answer = verify(person, bill["id"], list_hash(bill))
    assert (answer.status, answer.code, answer.body["available_minor"]) == (409, "balance_too_low", 699)
    seen = world.shown(person, bill["id"])
    assert (seen["state"], seen["verification"]["list_hash"]) == ("failed", list_hash(bill))
    assert (world.wallet(person), world.sales(shop)) == (699, before)
    world.fund(person, 1)
    assert verify(person, bill["id"], list_hash(bill)).body["state"] == "settled"
    assert (world.wallet(person), world.sales(shop)) == (0, before + 300)


def test_half_an_hour_after_closing_it_is_too_late(alice, bill, later):
    """VB-16, XX-04: even before the sweep has marked it unpaid."""
    later(minutes=30, seconds=1)
    assert verify(alice, bill["id"], list_hash(bill)).code == "verification_expired"


def test_an_open_bill_has_nothing_to_verify(alice):
    """VB-13: the request comes with closing."""
    bill = world.opened(alice)
    assert verify(alice, bill, "0" * 64).code == "bill_state_conflict"


def test_only_the_bills_own_device_verifies(alice, bill):
    """VB-14: possession of the phone is the second factor."""
    tablet = world.joined(Person(alice.sub), pin=None)
    assert verify(tablet, bill["id"], list_hash(bill)).code == "device_mismatch"
    body = {"list_hash": list_hash(bill), "pin": world.PIN}
    assert call("POST", f"/v1/bills/{bill['id']}/verification", alice, body).code == "proof_missing"
    assert world.wallet(alice) == 100_000


def test_a_removed_phone_proves_nothing_any_more(alice, bill):
    """Its key is gone from the user's devices."""
    assert call("DELETE", f"/v1/devices/{alice.phone.device_id}", alice).status == 204
    assert verify(alice, bill["id"], list_hash(bill)).code == "device_mismatch"


def test_a_suspended_user_pays_nothing(alice, bill):
    """VB-01: suspension holds from the next request."""
    world.suspend(alice)
    assert verify(alice, bill["id"], list_hash(bill)).code == "user_suspended"
    assert world.wallet(alice) == 100_000


def test_a_repeat_gets_the_first_answer_and_pays_nothing_twice(alice, shop, bill):
    """LG-10, LG-04: also when an item was refunded since."""
    key = str(uuid.uuid4())
    first = verify(alice, bill["id"], list_hash(bill), key=key)
    world.refund(shop.admin, bill["id"], [bill["items"][0]["id"]])
    again = verify(alice, bill["id"], list_hash(bill), key=key)
    assert (again.status, again.body) == (200, first.body)
    assert world.wallet(alice) == 100_000 - 700 + 300


def test_a_repeated_failure_is_answered_as_it_was(shop):
    """LG-10: the first answer, though there is money by now; a new key tries anew."""
    person, key = world.joined(), str(uuid.uuid4())
    bill = world.to_verify(person, (shop.tills[0], 300))
    first = verify(person, bill["id"], list_hash(bill), key=key)
    world.fund(person, 300)
    again = verify(person, bill["id"], list_hash(bill), key=key)
    assert (again.status, again.body | {"instance": ""}) == (first.status, first.body | {"instance": ""})
    assert verify(person, bill["id"], list_hash(bill)).status == 200


@pytest.mark.parametrize(
    ("currency", "price", "code"),
    [("CLF", 900, "currency_not_supported"), ("MGA", 950, "amount_not_supported")],
)
def test_a_bill_that_the_cards_bank_cannot_count_is_refused_whatever_the_pin(cards, shop, currency, price, code):
    """CB-21, LG-02, VB-15: before the PIN is tried and before anything is held; the wallet can pay it."""
    person, card = cards.active()
    bill = world.to_verify(person, (shop.tills[0], price), currency=currency)
    for pin in (world.PIN, "000000"):
        answer = cards.verify(person, bill, card, pin=pin)
        assert (answer.status, answer.code) == (409, code), answer
    cards.settle()
    assert "POST /v1/charges" not in [call for call, _ in cards.bank.calls]
    assert world.posted(f"card/{person.user_id}/{card}/{currency}") == 0
    world.fund(person, 1_000, currency)
    answer = world.verify(person, bill["id"], bill["verification"]["list_hash"])
    assert answer.body["state"] == "settled", answer
    assert world.sales(shop, currency) == price
