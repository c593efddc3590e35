"""Sealing a card anew under the newest generation of keys."""

from billfold import vault
from billfold.cards import card_rows
from billfold.tables.rows import fetch
from billfold.vault import vault_rows
from tests.cloud import delivery
from tests.world import STEPS, vault_keys
from tests.world.card_world import number


def reseal(*cards):
    answer = STEPS["reseal_card"].handler(delivery.sqs_event(cards), None)
    assert answer == {"batchItemFailures": []}


def opened(card):
    return vault.open_parts(card, fetch(vault_rows.sealed(card)))


def test_a_card_moves_to_the_newest_keys_and_stays_the_same_card(cards):
    """CB-19, CB-16: its number opens, it is recognised, and it pays."""
    person, card = cards.active()
    vault_keys.make("2")
    with vault_keys.listed("2 1"):
        reseal(card, card)
    with vault_keys.listed("2"):
        assert opened(card)[vault_rows.NUMBER].decode() == number("approved")
        again = cards.bind(person, number("approved"))
    assert (again.status, again.body["id"]) == (200, card)
    assert cards.top_up(person, card).status == 202


def test_a_card_under_way_keeps_its_persons_details(cards):
    """CB-05: the bank is asked with them after it."""
    _, card = cards.bound()
    cards.work("check_card", card)
    before = opened(card)
    vault_keys.make("2")
    with vault_keys.listed("2 1"):
        reseal(card)
        assert opened(card) == before
        assert cards.work("ask_bank", card) == "approved"


def test_what_is_new_or_gone_is_left_alone(cards):
    """CB-19: a card under the newest keys, and one that was removed meanwhile."""
    _, new = cards.active()
    person, removed = cards.active("without_funds")
    assert cards.remove(person, removed).status == 204
    revisions = [card_rows.load(card).present.revision for card in (new, removed)]
    reseal(new, removed)
    assert [card_rows.load(card).present.revision for card in (new, removed)] == revisions
