"""The state machine's first look at a card."""

from datetime import UTC, datetime, timedelta

import time_machine


def test_a_new_card_is_to_be_asked_about_however_often_it_is_looked_at(cards):
    """CB-04: created becomes authenticating once."""
    person, card = cards.bound()
    assert [cards.work("check_card", card) for _ in range(2)] == ["ask", "ask"]
    assert cards.seen(person, card)["state"] == "authenticating"


def test_a_card_that_has_expired_since_is_invalid_and_its_bank_is_not_asked(cards):
    """CB-04: it leaves the vault, and makes room for its owner to bind it anew."""
    with time_machine.travel(datetime.now(UTC) - timedelta(days=40), tick=True):
        today = datetime.now(UTC)
        person, card = cards.bound(body={"expiry": {"year": today.year, "month": today.month}})
    assert cards.work("check_card", card) == "over"
    shown = cards.seen(person, card)
    assert (shown["state"], shown["text"]) == ("invalid", "This card has expired.")
    assert cards.bank.calls == []
    assert cards.bound(person=person)[1] != card


def test_what_its_owner_gave_up_stays_so(cards):
    """CB-14: nothing begins with it."""
    person, card = cards.bound()
    assert cards.remove(person, card).status == 204
    assert cards.work("check_card", card) == "over"
    assert cards.seen(person, card)["state"] == "cancelled"
