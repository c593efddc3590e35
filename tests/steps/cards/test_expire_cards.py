"""Ending a card that no state machine has ended."""

from billfold.cards import card_rows
from billfold.tables.rows import fetch
from billfold.vault import vault_rows
from tests.cloud.delivery import sqs_event
from tests.world import STEPS
from tests.world.card_world import number


def expire(*cards):
    return STEPS["expire_cards"].handler(sqs_event(cards), None)


def test_a_card_whose_machine_never_started_ends_and_may_be_tried_again(cards, later):
    """CB-13: nothing of it stays in the vault, and nobody holds it."""
    person, card = cards.bound()
    later(hours=2)
    assert expire(card, card) == {"batchItemFailures": []}
    assert cards.seen(person, card)["text"] == "The bank did not answer. You were not charged."
    assert fetch(vault_rows.sealed(card)) is None
    assert cards.bound(person=person)[1] != card


def test_a_code_that_nobody_judged_cools_down_as_if_the_machine_had_ended_it(cards, later):
    """CB-09."""
    person, card = cards.challenged()
    later(hours=2)
    expire(card)
    assert cards.seen(person, card)["text"].startswith("The code was not entered in time")
    assert cards.bind(person, number("challenged")).status == 429


def test_an_approval_that_no_machine_acted_on_is_taken_back(cards, later):
    """CB-14: it never activates; the bank hears of it as after every end."""
    person, card = cards.asked()
    later(hours=2)
    expire(card)
    cards.settle()
    assert cards.seen(person, card)["state"] == "expired"
    assert card_rows.load(card).present.withdrawn


def test_what_is_not_due_or_is_over_stays_as_it_is(cards, later):
    """XX-04: messages come early, late and twice."""
    person, waits = cards.challenged()
    _, works = cards.active(person=person)
    expire(waits, works)
    assert [cards.seen(person, card)["state"] for card in (waits, works)] == ["challenged", "active"]
    later(hours=3)
    expire(works)
    assert cards.seen(person, works)["state"] == "active"
