"""Ending a card that will never pay."""

import pytest

from billfold.cards import card_rows
from billfold.tables.rows import fetch
from billfold.vault import vault_rows


@pytest.mark.parametrize("behaviour", ["declined", "expired", "mismatched"])
def test_a_declined_card_leaves_nothing_and_may_be_tried_again(cards, behaviour):
    """CB-15, CB-19: the reason is recorded for operations, the vault is empty, and nobody holds it."""
    person, card = cards.asked(behaviour)
    assert [cards.work("end_card", card) for _ in range(2)] == ["declined", "declined"]
    assert card_rows.load(card).present.reason
    assert fetch(vault_rows.sealed(card)) is None
    assert cards.bound(behaviour, person=person)[1] != card


def test_a_bank_that_never_answered_ends_in_expired_and_says_that_nothing_was_charged(cards, later):
    """CB-13: after 15 minutes."""
    person, card = cards.asked("silent")
    later(minutes=15, seconds=1)
    assert cards.work("end_card", card) == "expired"
    assert cards.seen(person, card)["text"] == "The bank did not answer. You were not charged."


def test_a_code_that_nobody_gave_ends_in_declined(cards, later):
    """CB-09: five minutes after it was sent, with the text that says so, and a cool-down."""
    person, card = cards.challenged()
    later(minutes=5, seconds=1)
    assert cards.work("ask_bank", card) == "declined"
    assert cards.work("end_card", card) == "declined"
    assert cards.seen(person, card)["text"].startswith("The code was not entered in time")


def test_an_active_card_is_not_ended(cards):
    """CB-10: whatever the machine thinks."""
    person, card = cards.active()
    assert cards.work("end_card", card) == "active"
    assert cards.seen(person, card)["state"] == "active"
