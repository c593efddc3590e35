"""What is submitted when a card is bound, before any bank is asked (CB-04, CB-08)."""

import pytest

from billfold.cards import card_bindings
from billfold.cards.card_bindings import Submitted
from billfold.cards.card_changes import Ended
from billfold.cards.card_errors import UnsupportedIssuer
from billfold.errors import CardInvalid, Stale
from tests.rules.card_worlds import BOUND, lived

NUMBER = "4242424242424242"


def checked(typed: str, year: int = 2029, bank: str | None = "sandbox") -> Submitted:
    return card_bindings.check(typed, year, 4, BOUND, {NUMBER: bank}.get)


def test_spaces_and_dashes_in_a_number_do_not_count():
    """People type a number as it is printed; its bank is looked up by its digits."""
    assert checked("4242 4242-4242 4242") == Submitted(NUMBER, "Visa", "sandbox")
    assert checked(NUMBER).last4 == "4242"


def test_a_number_is_in_no_text_that_shows_what_was_submitted():
    """CB-18: a log line or a traceback may show it."""
    assert NUMBER not in repr(checked(NUMBER))


def test_what_no_bank_need_be_asked_about_is_refused():
    """CB-04 before CB-08: a mistyped or expired card is not called a card of another bank."""
    with pytest.raises(CardInvalid):
        checked("4242 4242 4242 4243", bank=None)
    with pytest.raises(CardInvalid):
        checked(NUMBER, year=2020, bank=None)
    with pytest.raises(UnsupportedIssuer) as refusal:
        checked(NUMBER, bank=None)
    assert refusal.value.facts == {"reason": "no bank of ours has issued it", "pointer": "/number"}


def test_a_card_is_good_in_the_month_that_is_printed_on_it_and_not_in_the_one_before():
    """CB-04: by month and year together; the card is bound in November 2026."""
    with pytest.raises(CardInvalid):
        card_bindings.check(NUMBER, 2026, 10, BOUND, {NUMBER: "sandbox"}.get)
    assert card_bindings.check(NUMBER, 2026, 11, BOUND, {NUMBER: "sandbox"}.get).bank == "sandbox"


def test_a_card_that_is_over_is_bound_as_a_new_one():
    """CB-16: it ended after its holder was looked up; the step runs again, and finds that nobody holds it."""
    with pytest.raises(Stale):
        card_bindings.renew(lived(Ended(at=BOUND, state="cancelled")), 2040, 1, BOUND + 1)
