"""Showing a card to its owner."""

import pytest
import time_machine

from tests.world import call
from tests.world.card_world import number


def test_an_active_card_says_that_it_can_pay(cards):
    """CB-11, CB-07: and with exactly which fields its bank was asked."""
    person, card = cards.active()
    shown = cards.seen(person, card)
    assert shown["text"] == f"Visa ending {shown['last4']} is now linked. You can pay with it."
    assert shown["fields_sent"] == [
        "phone",
        "name",
        "document_type",
        "document_number_last4",
        "number",
        "expiry",
    ]


@pytest.mark.parametrize("behaviour", ["declined", "mismatched", "expired"])
def test_a_refused_owner_never_hears_what_was_wrong(cards, behaviour):
    """CB-15: one text for every reason, and no reason."""
    person, card = cards.asked(behaviour)
    assert cards.work("end_card", card) == "declined"
    shown = cards.seen(person, card)
    assert shown["text"] == "The details do not match the bank's records."
    assert "reason" not in shown


def test_a_challenge_shows_what_is_left_of_it(cards):
    """CB-09: five tries, three resends, until when and from when on."""
    person, card = cards.challenged()
    challenge = cards.seen(person, card)["challenge"]
    assert (challenge["tries_left"], challenge["resends_left"]) == (5, 3)
    assert challenge["resend_at"] < challenge["expires_at"]


def test_anothers_card_and_none_are_not_found_alike(cards, alice):
    """CB-12, XX-05: the same answer, apart from the request's name."""
    _, card = cards.active()
    answers = [call("GET", f"/v1/cards/{one}", alice) for one in (card, "crd_" + "0" * 32)]
    assert [answer.status for answer in answers] == [404, 404]
    assert answers[0].body | {"instance": ""} == answers[1].body | {"instance": ""}


@pytest.mark.parametrize(("when", "state"), [("2031-08-01T11:59:59Z", "active"), ("2031-08-01T12:00:00Z", "expired")])
def test_a_card_reads_as_expired_once_its_month_is_over_everywhere(cards, when, state):
    """CB-10, issue 12 F24: as it is refused, so it reads, alone and in the list; a later expiry makes it good again."""
    person, card = cards.active()
    with time_machine.travel(when, tick=False):
        shown = cards.seen(person, card)
        (listed,) = call("GET", "/v1/cards", person).body["items"]
        assert (shown["state"], listed["state"]) == (state, state)
        assert shown["text"].endswith("You can pay with it." if state == "active" else "has expired.")
        assert cards.top_up(person, card).status == (202 if state == "active" else 409)
        if state == "expired":
            assert cards.bind(person, number("approved"), body={"expiry": {"year": 2035, "month": 1}}).status == 200
            assert cards.seen(person, card)["state"] == "active"
