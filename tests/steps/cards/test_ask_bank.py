"""Asking a card's bank."""

import pytest

from billfold.cards import card_rows
from tests.world import STEPS
from tests.world.card_world import number

ASK = ("POST /v1/authentications", 200)
LOOK = "GET /v1/operations"


@pytest.mark.parametrize(
    ("behaviour", "outcome"),
    [("approved", "approved"), ("mismatched", "declined"), ("challenged", "challenge"), ("silent", "unknown")],
)
def test_what_the_bank_says_is_what_the_machine_chooses_by(cards, behaviour, outcome):
    """CB-07, CB-13: silence is unknown, never success; the record has exactly the fields that were sent."""
    _, card = cards.bound(behaviour)
    cards.work("check_card", card)
    assert cards.work("ask_bank", card) == outcome
    found = card_rows.load(card).present
    assert found.verdict == outcome
    assert found.fields_sent == ("phone", "name", "document_type", "document_number_last4", "number", "expiry")


def test_a_verdict_that_is_known_is_not_asked_for_again(cards):
    """CB-13: the machine may look as often as it likes."""
    _, card = cards.asked()
    assert cards.work("ask_bank", card) == "approved"
    assert cards.bank.calls == [ASK]


def test_after_silence_the_bank_is_asked_what_became_of_it_and_not_to_do_it_again(cards):
    """CB-13: one authentication at the bank."""
    _, card = cards.asked("told_thrice")
    assert cards.work("ask_bank", card) == "approved"
    assert [call for call, _ in cards.bank.calls] == [ASK[0], LOOK]


def test_a_bank_that_knows_nothing_of_it_is_asked_anew(cards):
    """CB-13: with the same key, so that it is done once at most."""
    _, card = cards.asked("failing")
    assert [cards.work("ask_bank", card) for _ in range(2)] == ["unknown", "approved"]
    assert [call for call, _ in cards.bank.calls] == [ASK[0], LOOK, ASK[0], LOOK, ASK[0]]


@pytest.mark.parametrize("behaviour", ["failing", "approved", "told_thrice"])
def test_an_expiry_that_is_sent_meanwhile_is_the_card_s_and_is_not_asked(cards, behaviour):
    """CB-13, CB-16, issue 12 F7: the same key is the same question, or the bank would never answer it again."""
    person, card = cards.bound(behaviour)
    cards.work("check_card", card)
    first = cards.work("ask_bank", card)
    again = cards.bind(person, number(behaviour), body={"expiry": {"year": 2034, "month": 2}})
    assert (again.status, again.body["id"]) == (200, card)
    outcomes = [first, *(cards.work("ask_bank", card) for _ in range(2))]
    assert outcomes[-1] == "approved"
    assert 422 not in [status for _, status in cards.bank.calls]
    assert cards.work("activate_card", card) == "active"
    assert cards.seen(person, card)["expiry"] == {"year": 2034, "month": 2}


def test_the_machine_waits_longer_each_time_and_never_beyond_the_fifteen_minutes(cards, later):
    """CB-13: whole seconds, as the state machine wants them; then it is over."""
    _, card = cards.bound("silent")
    cards.work("check_card", card)
    waits = [STEPS["ask_bank"].handler({"card": card}, None)["wait_seconds"] for _ in range(8)]
    assert waits == [2, 4, 8, 16, 32, 64, 120, 120]
    later(minutes=14, seconds=30)
    assert STEPS["ask_bank"].handler({"card": card}, None)["wait_seconds"] <= 30
    later(seconds=31)
    assert cards.work("ask_bank", card) == "expired"


def test_nobody_asks_about_a_card_that_is_over(cards):
    """CB-14: the machine hears that it is."""
    person, card = cards.bound()
    assert cards.remove(person, card).status == 204
    assert cards.work("ask_bank", card) == "over"
    assert cards.bank.calls == []
