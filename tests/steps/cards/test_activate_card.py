"""Making an approved card one that can pay."""

from billfold.tables.rows import fetch
from billfold.vault import vault_rows


def test_an_approved_card_is_active_and_the_persons_details_are_forgotten(cards):
    """CB-05, CB-10, CB-11: the number stays sealed; again it is active still."""
    person, card = cards.asked()
    assert [cards.work("activate_card", card) for _ in range(2)] == ["active", "active"]
    assert set(fetch(vault_rows.sealed(card))) == {vault_rows.NUMBER}
    assert cards.top_up(person, card).status == 202


def test_nothing_but_an_approval_makes_a_card_active(cards):
    """CB-10, CB-13: not a challenge, a refusal or silence."""
    for behaviour in ("challenged", "mismatched", "silent"):
        person, card = cards.asked(behaviour)
        assert cards.work("activate_card", card) == "over"
        assert cards.seen(person, card)["state"] != "active"


def test_a_card_given_up_after_its_approval_stays_cancelled(cards):
    """CB-14: the owner's word came first."""
    person, card = cards.asked()
    assert cards.remove(person, card).status == 204
    assert cards.work("activate_card", card) == "over"
    assert cards.seen(person, card)["state"] == "cancelled"
