"""Waiting for the bank's word."""

from billfold.cards import card_rows
from tests.world.card_world import TOKEN


def test_the_token_is_kept_in_the_cards_row_and_shown_to_nobody(cards):
    """CB-13: the last one counts."""
    person, card = cards.asked("silent")
    for token in ("an earlier one", TOKEN):
        assert cards.work("await_bank", card, token=token) == "waiting"
    assert card_rows.waiting(card) == TOKEN
    assert TOKEN not in str(cards.seen(person, card))


def test_a_word_that_came_first_resumes_at_once(cards):
    """CB-13: no token is kept, so nobody waits for what has come already."""
    _, card = cards.asked()
    assert cards.work("await_bank", card, token=TOKEN) == "resumed"
    assert card_rows.waiting(card) == ""


def test_a_card_that_was_given_up_waits_for_nothing(cards):
    """CB-14: the machine goes on, and finds it over."""
    person, card = cards.asked("silent")
    assert cards.remove(person, card).status == 204
    assert cards.work("await_bank", card, token=TOKEN) == "resumed"
