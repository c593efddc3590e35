"""A card's life through the real steps, the real state machine and a real bank over HTTP."""

import pytest

from tests import world
from tests.world import card_world
from tests.world.bank_fixtures import card
from tests.world.card_world import CardWorld


@pytest.fixture
def cards(store, queues):
    with card_world.running(store, queues) as running:
        yield running


def test_a_card_is_bound_approved_and_pays_a_top_up(cards: CardWorld):
    """CB-10, CB-11, CB-21: created, then linked; the top-up settles and the money is in the wallet."""
    alice = world.joined()
    bound = cards.bind(alice, card("approved"))
    assert (bound.status, bound.body["state"]) == (201, "created")
    cards.settle()
    seen = cards.seen(alice, bound.body["id"])
    assert seen["state"] == "active"
    assert seen["text"].endswith("is now linked. You can pay with it.")
    started = cards.top_up(alice, seen["id"], 2_500)
    assert (started.status, started.body["state"]) == (202, "settling")
    cards.settle()
    assert world.wallet(alice) == 2_500
    assert world.posted(f"card/{alice.user_id}/{seen['id']}/USD") == -2_500
    assert world.call("GET", f"/v1/top-ups/{started.body['id']}", alice).body["state"] == "settled"


def test_a_code_links_the_card(cards: CardWorld):
    """CB-09: the bank sends a code, a wrong one is counted, the right one links."""
    alice = world.joined()
    bound = cards.bind(alice, card("challenged")).body["id"]
    cards.settle()
    assert cards.seen(alice, bound)["state"] == "challenged"
    wrong = cards.answer(alice, bound, "999999")
    assert (wrong.status, wrong.code, wrong.body["tries_left"]) == (403, "code_wrong", 4)
    assert cards.answer(alice, bound).status == 200
    cards.settle()
    assert cards.seen(alice, bound)["state"] == "active"


def test_a_bill_is_paid_by_card(cards: CardWorld):
    """VB-17, CB-21: one debit of the card's account and one credit per seller, once the bank has charged."""
    alice, shop = world.joined(), world.seller()
    bound = cards.linked(alice, card("charge_lost"))
    bill = world.to_verify(alice, (shop.tills[0], 1_250))
    answer = cards.verify(alice, bill, bound)
    assert (answer.status, answer.body["state"]) == (200, "settling"), answer
    assert cards.remove(alice, bound).code == "card_busy"
    cards.settle()
    assert world.shown(alice, bill["id"])["state"] == "settling"
    assert world.sales(shop) == 0
