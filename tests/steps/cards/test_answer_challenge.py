"""Answering the bank's challenge with its code."""

from billfold.cards import card_rows
from tests import world


def test_the_right_code_links_the_card_once_the_machine_has_gone_on(cards):
    """CB-09, CB-10: approved by the bank, and active a moment later."""
    person, card = cards.challenged()
    answer = cards.answer(person, card)
    assert (answer.status, answer.body["state"]) == (200, "authenticating")
    assert cards.top_up(person, card).code == "card_not_active"
    assert cards.work("activate_card", card) == "active"


def test_each_wrong_code_costs_one_of_five_tries(cards):
    """CB-09: the answer says how many are left; after the fifth not even the right one is asked about."""
    person, card = cards.challenged()
    for left in (4, 3, 2, 1, 0):
        answer = cards.answer(person, card, "999999")
        assert (answer.status, answer.code, answer.body["tries_left"]) == (403, "code_wrong", left)
    asked = len(cards.bank.calls)
    assert cards.answer(person, card).status == 409
    assert len(cards.bank.calls) == asked
    assert cards.work("ask_bank", card) == "declined"


def test_a_code_is_good_for_five_minutes(cards, later):
    """CB-09: by our clock, before the bank is asked."""
    person, card = cards.challenged()
    later(minutes=5, seconds=1)
    answer = cards.answer(person, card)
    assert (answer.status, answer.code) == (409, "challenge_over")


def test_no_code_is_taken_before_one_was_sent_or_after_the_verdict(cards):
    """CB-09: the card's state says whether one is awaited."""
    person, card = cards.asked("challenged")
    assert cards.answer(person, card).code == "card_state_conflict"
    person, card = cards.active()
    assert cards.answer(person, card).code == "card_state_conflict"


def test_a_lost_answer_is_asked_for_again_with_the_same_key_and_is_one_try(cards):
    """CB-13, LG-10: the bank has judged it; asking again tells."""
    person, card = cards.challenged("code_answer_lost")
    lost = cards.answer(person, card, key="once")
    assert (lost.status, lost.code) == (503, "unavailable")
    again = cards.answer(person, card, key="once")
    assert again.status == 200
    assert card_rows.load(card).present.challenge.tries == 1


def test_a_repeated_wrong_code_counts_once(cards):
    """LG-10, C14: and another code under its key is another request."""
    person, card = cards.challenged()
    answers = [cards.answer(person, card, "999999", key="once") for _ in range(2)]
    assert {(answer.status, answer.body["tries_left"]) for answer in answers} == {(403, 4)}
    assert cards.answer(person, card, "123456", key="once").code == "idempotency_key_reused"
    assert cards.answer(person, card).status == 200


def test_anothers_card_has_no_challenge(cards, alice):
    """CB-12: not found, and no try is counted."""
    _, card = cards.challenged()
    answer = cards.answer(alice, card)
    assert (answer.status, answer.code) == (404, "not_found")
    assert card_rows.load(card).present.challenge.tries == 0


def test_a_suspended_person_answers_nothing(cards):
    """VB-01: before a try is counted."""
    person, card = cards.challenged()
    world.suspend(person)
    assert cards.answer(person, card).code == "user_suspended"
    assert card_rows.load(card).present.challenge.tries == 0
