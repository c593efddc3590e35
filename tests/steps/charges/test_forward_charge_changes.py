"""Forwarding what happens to charges."""

import pytest

from billfold import banks
from billfold.bills import bill_rows
from billfold.charges import charge_rows
from tests import world
from tests.world import call


def told(person, about):
    return [event["type"] for event in call("GET", "/v1/events", person).body["items"] if event["about"] == about]


def test_a_top_ups_owner_hears_of_its_start_and_its_end_once(cards):
    """XX-03: though the stream comes twice."""
    for behaviour, ends in (("approved", "top_up.settled"), ("without_funds", "top_up.declined")):
        person, card = cards.active(behaviour)
        charge = cards.top_up(person, card).body["id"]
        cards.settle(twice=True)
        assert told(person, charge) == ["top_up.started", ends]


def test_a_top_up_that_is_disputed_and_reinstated_is_told_as_settled_once(cards, later):
    """XX-03: the owner's money never moved, so that nobody thanks her for it twice."""
    person, card = cards.active("dispute_won")
    charge = cards.top_up(person, card).body["id"]
    for seconds in (0, 3, 10, 10, 10):
        later(seconds=seconds)
        cards.settle(twice=True)
    changes = [type(change).__name__ for change in charge_rows.load(charge).changes]
    assert changes == ["Started", "Settled", "Disputed", "Reinstated"]
    assert told(person, charge) == ["top_up.started", "top_up.settled"]


@pytest.mark.parametrize("taken", [True, False], ids=["paid", "credited"])
def test_a_cards_refund_is_told_as_its_bills_wherever_the_money_goes(cards, shop, taken):
    """XX-03, issue 7 B9: nobody can read the refund's charge, and a bank that will not take it back is no silence."""
    person, card = cards.active()
    bill = world.to_verify(person, (shop.tills[0], 900))
    assert cards.verify(person, bill, card).status == 200
    cards.settle(twice=True)
    if not taken:
        paid_by = bill_rows.load(bill["id"]).present.paid_by
        assert banks.bank("sandbox").refund("by hand", paid_by.reference, 900, "USD", "by hand").outcome == "refunded"
    item = world.shown(person, bill["id"])["items"][0]["id"]
    assert world.refund(shop.admin, bill["id"], [item]).status == 201
    cards.settle(twice=True)
    told_of = [kind for kind in told(person, bill["id"]) if kind.startswith("bill.refund")]
    assert told_of == ["bill.refunded", "bill.refund_paid" if taken else "bill.refund_credited"]
    assert world.wallet(person) == (0 if taken else 900)


def test_a_bills_charge_is_told_by_the_bill(cards, shop):
    """XX-03: nobody hears twice that something was paid."""
    person, card = cards.active()
    bill = world.to_verify(person, (shop.tills[0], 900))
    assert cards.verify(person, bill, card).status == 200
    cards.settle(twice=True)
    assert world.shown(person, bill["id"])["state"] == "settled"
    events = call("GET", "/v1/events", person, query={"limit": "100"}).body["items"]
    assert [event["type"] for event in events if event["type"] == "bill.settled"] == ["bill.settled"]
    assert not [event for event in events if event["about"].startswith("chg_")]
