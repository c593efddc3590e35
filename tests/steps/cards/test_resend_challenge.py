"""Having another code sent."""

from billfold.cards import card_rows


def test_another_code_comes_after_a_minute_and_has_its_own_five(cards, later):
    """CB-09: before that 429, with the seconds that are left."""
    person, card = cards.challenged()
    early = cards.resend(person, card)
    assert (early.status, early.code) == (429, "resend_too_soon")
    assert 50 < int(early.headers["Retry-After"]) <= 60
    later(minutes=4)
    answer = cards.resend(person, card)
    assert (answer.status, answer.body["challenge"]["resends_left"]) == (200, 2)
    later(minutes=4)
    assert cards.answer(person, card).status == 200


def test_three_more_codes_are_sent_and_no_fourth(cards, later):
    """CB-09: the tries stay counted over all of them."""
    person, card = cards.challenged()
    assert cards.answer(person, card, "999999").status == 403
    for _ in range(3):
        later(minutes=2)
        answer = cards.resend(person, card)
        assert (answer.status, answer.body["challenge"]["tries_left"]) == (200, 4)
    later(minutes=2)
    assert cards.resend(person, card).code == "challenge_over"


def test_the_same_request_again_sends_one_code(cards, later):
    """LG-10: the bank hears the same key twice, and the answer is the first."""
    person, card = cards.challenged()
    later(minutes=2)
    first, again = (cards.resend(person, card, key="once") for _ in range(2))
    assert (again.status, again.body) == (first.status, first.body)
    assert card_rows.load(card).present.challenge.sent == 2


def test_no_code_is_sent_for_a_card_that_awaits_none(cards, alice):
    """CB-09, CB-12: an active one, and another's."""
    person, card = cards.active()
    assert cards.resend(person, card).code == "card_state_conflict"
    assert cards.resend(alice, card).status == 404
