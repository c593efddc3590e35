"""Topping a wallet up by a card."""

import pytest

from billfold import banks, clock
from tests import world
from tests.world import call


def test_a_top_up_is_settling_until_the_bank_has_answered(cards):
    """CB-21: nothing moves before; then the money is in the wallet, from the card's account."""
    person, card = cards.active()
    answer = cards.top_up(person, card)
    assert (answer.status, answer.body["state"], answer.body["card"]) == (202, "settling", card)
    assert "transfer" not in answer.body
    assert world.wallet(person) == 0
    cards.settle()
    shown = call("GET", f"/v1/top-ups/{answer.body['id']}", person).body
    assert (shown["state"], world.wallet(person)) == ("settled", 2_500)
    assert call("GET", f"/v1/transfers/{shown['transfer']}", person).status == 200


def test_a_declined_top_up_moves_nothing(cards):
    """CB-21: the hold is given back, and the text says that nothing was charged."""
    person, card = cards.active("without_funds")
    top_up = cards.top_up(person, card).body["id"]
    cards.settle()
    shown = call("GET", f"/v1/top-ups/{top_up}", person).body
    assert (shown["state"], world.wallet(person)) == ("declined", 0)
    assert shown["text"] == "Your bank declined the payment. You were not charged."
    assert world.posted(f"card/{person.user_id}/{card}/USD") == 0


@pytest.mark.parametrize("behaviour", ["approved", "mismatched", "challenged", "silent"])
def test_no_card_pays_before_it_is_active(cards, behaviour):
    """CB-10: whatever its bank has said so far."""
    person, card = cards.asked(behaviour)
    answer = cards.top_up(person, card)
    assert (answer.status, answer.code) == (409, "card_not_active")


def test_anothers_card_is_not_found_and_is_not_charged(cards, alice):
    """CB-12: like a card that never was."""
    _, card = cards.active()
    asked = len(cards.bank.calls)
    answers = [cards.top_up(alice, one) for one in (card, "crd_" + "0" * 32)]
    assert [answer.status for answer in answers] == [404, 404]
    assert answers[0].body | {"instance": ""} == answers[1].body | {"instance": ""}
    cards.settle()
    assert len(cards.bank.calls) == asked


def test_the_same_key_is_one_top_up(cards):
    """LG-04, LG-10: the first answer again, also when it is settled; the bank made one charge."""
    person, card = cards.active()
    first = cards.top_up(person, card, key="once")
    cards.settle()
    again = cards.top_up(person, card, key="once")
    assert (again.status, again.body) == (first.status, first.body)
    assert cards.top_up(person, card, 99, key="once").code == "idempotency_key_reused"
    cards.settle()
    assert world.wallet(person) == 2_500
    assert [call for call, _ in cards.bank.calls].count("POST /v1/charges") == 1


def test_a_suspended_person_tops_nothing_up(cards):
    """VB-01: before anything is held."""
    person, card = cards.active()
    world.suspend(person)
    assert cards.top_up(person, card).code == "user_suspended"


@pytest.mark.parametrize("currency", ["XXX", "ZZZ"])
def test_a_currency_that_is_none_is_refused(cards, currency):
    """LG-02: with a pointer to it."""
    person, card = cards.active()
    body = {"card": card, "amount": {"amount": 5, "currency": currency}}
    answer = call("POST", "/v1/top-ups", person, body)
    assert (answer.status, answer.body["pointer"]) == (400, "/amount/currency")


@pytest.mark.parametrize(
    ("amount", "currency", "code"),
    [
        (5, "CLF", "currency_not_supported"),
        (5, "USN", "currency_not_supported"),
        (1_250, "MGA", "amount_not_supported"),
    ],
)
def test_what_the_cards_bank_cannot_count_is_refused_before_anything_is_held(store, cards, amount, currency, code):
    """CB-21, LG-02: with its own code; no charge begins and no bank is asked."""
    person, card = cards.active()
    before, asked = len(store.rows("charges")), len(cards.bank.calls)
    answer = cards.top_up(person, card, amount, currency=currency)
    assert (answer.status, answer.code) == (409, code), answer
    cards.settle()
    assert (len(store.rows("charges")), len(cards.bank.calls)) == (before, asked)


def test_the_bank_is_asked_in_its_own_units(cards):
    """LG-02: 12.00 MGA is 1200 here and 12 at a bank that counts it without decimals; the wallet gets what the bank took."""
    person, card = cards.active()
    assert cards.top_up(person, card, 1_200, currency="MGA").status == 202
    cards.settle()
    assert world.wallet(person, "MGA") == 1_200
    [line] = [line for line in banks.bank("sandbox").charges(0, clock.now() + 1, "")[0] if line.currency == "MGA"]
    assert line.amount == 12


@pytest.mark.parametrize(
    ("most", "currency", "shown"),
    [(100_000, "USD", "1,000.00 USD"), (150_000, "JPY", "150,000 JPY"), (1_000_000, "KWD", "1,000.000 KWD")],
)
def test_no_more_than_the_stages_maximum_is_topped_up_at_once(store, cards, most, currency, shown):
    """Issue 12 F26: the maximum itself is; what is over it holds nothing, asks no bank and is no try."""
    person, card = cards.active()
    before, asked = len(store.rows("charges")), len(cards.bank.calls)
    for over in (most + 1, 10**12):
        answer = cards.top_up(person, card, over, currency=currency)
        assert (answer.status, answer.code, answer.body["most_minor"]) == (409, "top_up_too_large", most)
        assert shown in answer.body["detail"]
    cards.settle()
    assert (len(store.rows("charges")), len(cards.bank.calls)) == (before, asked)
    assert [cards.top_up(person, card, most, currency=currency).status for _ in range(11)] == [202] * 10 + [429]


def test_a_wallet_is_topped_up_ten_times_a_day_whatever_became_of_it(store, cards, later):
    """Issue 12 F26: by all of a user's cards together, declined or not; a repeat is no other, and a day later there is room."""
    person, card = cards.active()
    _, poor = cards.active("without_funds", person=person)
    for turn in range(10):
        assert cards.top_up(person, (card, poor)[turn % 2], 100, key=f"top-up-{turn}").status == 202
    cards.settle()
    before = len(store.rows("charges"))
    for one in (card, poor):
        answer = cards.top_up(person, one, 100)
        assert (answer.status, answer.code) == (429, "too_many_top_ups")
        assert 23 * 3600 < int(answer.headers["Retry-After"]) <= 24 * 3600
    assert cards.top_up(person, card, 100, key="top-up-0").status == 202
    assert (len(store.rows("charges")), world.wallet(person)) == (before, 500)
    assert cards.top_up(*cards.active(rest=2), 100).status == 202
    later(hours=24, seconds=5)
    assert cards.top_up(person, card, 100).status == 202


def test_what_is_refused_is_no_top_up(cards):
    """Issue 12 F26: a card that cannot pay, or is another's, takes nothing from the ten."""
    person, card = cards.active()
    _, unlinked = cards.asked(rest=2, person=person)
    for one in (unlinked, "crd_" + "0" * 32) * 6:
        assert cards.top_up(person, one).status in (404, 409)
    assert [cards.top_up(person, card, 1).status for _ in range(11)] == [202] * 10 + [429]
