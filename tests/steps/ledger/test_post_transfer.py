"""Sending money to another user."""

import uuid

import pytest

from tests import world
from tests.world import PIN, Person, call


def send(person, to, amount=2500, currency="USD", pin=PIN, **options):
    body = {"to": to, "amount": {"amount": amount, "currency": currency}, "reason": "lunch", "pin": pin}
    return call("POST", "/v1/transfers", person, body, **options)


def test_money_moves_from_wallet_to_wallet(alice, visitor):
    """LG-01: what one loses the other gains."""
    answer = send(alice, visitor.user_id)
    assert answer.status == 201
    assert answer.body | {"id": "", "at": ""} == {
        "id": "",
        "at": "",
        "amount": {"amount": 2500, "currency": "USD"},
        "kind": "transfer",
        "reason": "lunch",
        "payer": alice.user_id,
        "payees": [visitor.user_id],
    }
    assert (world.wallet(alice), world.wallet(visitor)) == (97_500, 2500)


def test_the_whole_balance_can_go_and_not_one_unit_more(alice, visitor):
    """LG-06: a wallet never goes below zero."""
    answer = send(alice, visitor.user_id, 100_001)
    assert (answer.status, answer.code, answer.body["available_minor"]) == (409, "balance_too_low", 100_000)
    assert send(alice, visitor.user_id, 100_000).status == 201
    assert (world.wallet(alice), world.wallet(visitor)) == (0, 100_000)


def test_each_currency_is_a_wallet_of_its_own(alice, visitor):
    """LG-01: dollars pay no yen."""
    assert send(alice, visitor.user_id, 1, "JPY").code == "balance_too_low"


def test_wrong_pins_are_counted_and_the_third_locks(alice, visitor, later):
    """VB-15: the same rule as for bills; nothing moves."""
    answers = [send(alice, visitor.user_id, pin="000001") for _ in range(3)]
    assert [(answer.code, answer.body["tries_left"]) for answer in answers] == [
        ("pin_wrong", 2),
        ("pin_wrong", 1),
        ("pin_locked", 0),
    ]
    assert send(alice, visitor.user_id).code == "pin_locked"
    assert world.wallet(alice) == 100_000
    later(minutes=15, seconds=1)
    assert send(alice, visitor.user_id).status == 201


def test_guessing_a_pin_is_never_free(visitor):
    """VB-15: without the money, a right PIN and a wrong one are answered alike, and no guess is told from another."""
    person = world.joined()
    wrong, right = send(person, visitor.user_id, pin="000001"), send(person, visitor.user_id)
    assert wrong.code == right.code == "balance_too_low"


def test_without_a_pin_nothing_is_sent(visitor, alice):
    """Set one first."""
    world.fund(visitor, 5000)
    assert send(visitor, alice.user_id).code == "pin_missing"


def test_an_unknown_payee_is_not_found(alice):
    """LG-06, XX-05: no wallet comes to be for somebody who is no user, and no PIN is tried."""
    for payee in ("usr_" + "0" * 32, Person().user_id):
        assert send(alice, payee, pin="000001").code == "not_found"
    assert world.wallet(alice) == 100_000


def test_nobody_pays_themselves(alice):
    """LG-01: an account appears once in a transfer."""
    answer = send(alice, alice.user_id)
    assert (answer.status, answer.body["pointer"]) == (400, "/to")


def test_strangers_and_suspended_people_send_nothing(alice, visitor):
    """VB-01: suspension holds from the next request."""
    assert send(Person(), visitor.user_id).code == "user_unknown"
    world.suspend(alice)
    assert send(alice, visitor.user_id).code == "user_suspended"


@pytest.mark.parametrize("amount", [0, -1, 10**12 + 1, 25.0, "2500", None, True])
def test_an_amount_is_an_integer_from_one_to_a_million_million(alice, visitor, amount):
    """LG-02: anything else is refused with a pointer."""
    answer = send(alice, visitor.user_id, amount)
    assert (answer.status, answer.body["pointer"]) == (400, "/amount/amount")


def test_a_repeat_gets_the_first_answer_and_sends_nothing_twice(alice, visitor):
    """LG-04, LG-10: the transfer is its own record; also when the money is gone by now."""
    key = str(uuid.uuid4())
    first = send(alice, visitor.user_id, 60_000, key=key)
    again = send(alice, visitor.user_id, 60_000, key=key)
    assert (again.status, again.body) == (201, first.body)
    assert world.wallet(alice) == 40_000


def test_a_repeated_wrong_pin_is_one_try(alice, visitor):
    """LG-10, VB-15: a phone that retries does not lock its user out."""
    key = str(uuid.uuid4())
    answers = [send(alice, visitor.user_id, pin="000001", key=key) for _ in range(4)]
    assert {(answer.status, answer.body["tries_left"]) for answer in answers} == {(403, 2)}
    assert send(alice, visitor.user_id).status == 201
