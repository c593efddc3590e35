"""Removing a card."""

import pytest

from billfold.tables.rows import fetch
from billfold.vault import vault_rows
from tests import world
from tests.world.card_world import number


def in_vault(card):
    return fetch(vault_rows.sealed(card)) is not None


def test_a_removed_card_is_unusable_at_once_and_leaves_nothing_in_the_vault(cards):
    """CB-20: the next payment is refused, and what was sealed is gone."""
    person, card = cards.active()
    assert in_vault(card)
    answer = cards.remove(person, card)
    assert (answer.status, answer.body) == (204, None)
    assert cards.top_up(person, card).code == "card_not_active"
    assert cards.seen(person, card)["state"] == "removed"
    assert not in_vault(card)


def test_removal_needs_the_pin(cards):
    """CB-20, VB-15: three wrong tries lock, also here; the card stays."""
    person, card = cards.active()
    for left in (2, 1):
        answer = cards.remove(person, card, "618243")
        assert (answer.status, answer.code, answer.body["tries_left"]) == (403, "pin_wrong", left)
    assert cards.remove(person, card, "618243").status == 403
    assert cards.remove(person, card).code == "pin_locked"
    assert cards.seen(person, card)["state"] == "active"


def test_a_card_with_a_payment_under_way_stays_until_its_bank_has_answered(cards):
    """CB-20: whether the payment is made or declined."""
    for behaviour in ("approved", "without_funds"):
        person, card = cards.active(behaviour)
        assert cards.top_up(person, card).status == 202
        answer = cards.remove(person, card)
        assert (answer.status, answer.code) == (409, "card_busy")
        cards.settle()
        assert cards.remove(person, card).status == 204


@pytest.mark.parametrize(("wrong", "resends", "waits"), [(0, 0, False), (1, 0, True), (4, 0, True), (0, 1, True)])
def test_giving_up_gives_no_try_of_a_code_back(cards, later, wrong, resends, waits):
    """CB-09, issue 12 F6: once a code was tried wrongly, or sent again, its owner waits a day with this card."""
    person, card = cards.challenged()
    for _ in range(wrong):
        assert cards.answer(person, card, "999999").code == "code_wrong"
    for _ in range(resends):
        later(seconds=61)
        assert cards.resend(person, card).status == 200
    assert cards.remove(person, card).status == 204
    again = cards.bind(person, number("challenged"))
    assert (again.status, again.code) == ((429, "too_many_cards") if waits else (201, ""))
    assert cards.bind(person, number("approved")).status == 201
    later(hours=24, seconds=5)
    assert cards.bind(person, number("challenged")).status in (200, 201)


def test_who_removes_a_card_that_was_linked_by_a_code_may_link_it_again(cards):
    """CB-20: its tries are no secret any more: a right one was among them."""
    person, card = cards.challenged()
    assert cards.answer(person, card, "999999").code == "code_wrong"
    assert cards.answer(person, card).status == 200
    assert cards.work("activate_card", card) == "active"
    assert cards.remove(person, card).status == 204
    assert cards.bind(person, number("challenged")).status == 201


def test_giving_up_cancels_what_is_under_way(cards):
    """CB-20, CB-14: and a word that comes later never links it."""
    person, card = cards.challenged()
    assert cards.remove(person, card).status == 204
    assert cards.seen(person, card)["state"] == "cancelled"
    assert cards.answer(person, card).code == "card_state_conflict"
    assert cards.work("activate_card", card) == "over"
    assert not in_vault(card)


def test_what_is_over_is_removed_already(cards):
    """Again is 204, whatever the PIN."""
    person, card = cards.active()
    assert cards.remove(person, card).status == 204
    assert cards.remove(person, card).status == 204
    assert cards.seen(person, card)["state"] == "removed"


def test_anothers_card_is_not_found(cards, alice):
    """CB-12: and stays as it is."""
    person, card = cards.active()
    assert cards.remove(alice, card).status == 404
    assert cards.seen(person, card)["state"] == "active"


def test_a_removed_card_makes_room_for_another_holder(cards):
    """CB-16: it is held by the others only."""
    held = [cards.active() for _ in range(3)]
    assert cards.remove(*held[0]).status == 204
    assert cards.bind(world.joined(), number("approved")).status == 201


def test_a_suspended_person_removes_nothing(cards):
    """VB-01: the card stays."""
    person, card = cards.active()
    world.suspend(person)
    assert cards.remove(person, card).code == "user_suspended"
