"""Having the first code sent."""

import pytest

from billfold.cards import card_rows
from billfold.errors import Unavailable
from tests.world.card_world import TOKEN


def test_the_code_is_sent_once_and_the_challenge_begins(cards):
    """CB-09: the owner sees until when it is good; again keeps the new token and sends no other code."""
    person, card = cards.challenged()
    assert cards.seen(person, card)["state"] == "challenged"
    assert cards.work("send_challenge", card, token="another") == "waiting"
    assert card_rows.waiting(card) == "another"
    assert card_rows.load(card).present.challenge.sent == 1


def test_the_token_is_kept_before_the_bank_is_asked(cards, monkeypatch):
    """CB-13: a bank that cannot be reached makes the machine try again, with the token that is kept already."""
    _, card = cards.asked("challenged")
    with monkeypatch.context() as broken:
        broken.setenv("BILLFOLD_SANDBOX_BANK_ADDRESS", "http://127.0.0.1:9")
        with pytest.raises(Unavailable):
            cards.work("send_challenge", card, token=TOKEN)
    assert card_rows.waiting(card) == TOKEN
    assert cards.work("send_challenge", card, token=TOKEN) == "waiting"


def test_no_code_is_sent_for_a_card_that_needs_none(cards):
    """CB-09: approved meanwhile, or given up."""
    person, card = cards.challenged()
    assert cards.answer(person, card).status == 200
    asked = len(cards.bank.calls)
    assert cards.work("send_challenge", card, token=TOKEN) == "resumed"
    assert len(cards.bank.calls) == asked
