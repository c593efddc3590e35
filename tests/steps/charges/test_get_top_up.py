"""Showing a top-up."""

from billfold.bills import bill_rows
from tests import world
from tests.world import call


def test_its_owner_sees_it_and_nobody_else(cards, alice):
    """XX-05: another's is answered like one that never was."""
    person, card = cards.active()
    top_up = cards.top_up(person, card).body["id"]
    shown = call("GET", f"/v1/top-ups/{top_up}", person)
    assert (shown.status, shown.body["amount"]) == (200, {"amount": 2_500, "currency": "USD"})
    answers = [call("GET", f"/v1/top-ups/{one}", alice) for one in (top_up, "chg_" + "0" * 32)]
    assert [answer.status for answer in answers] == [404, 404]
    assert answers[0].body | {"instance": ""} == answers[1].body | {"instance": ""}


def test_a_bills_charge_is_no_top_up(cards, shop):
    """XX-05: it is shown as the bill, also to its owner."""
    person, card = cards.active()
    bill = world.to_verify(person, (shop.tills[0], 900))
    assert cards.verify(person, bill, card).status == 200
    charge = bill_rows.load(bill["id"]).present.charge_id
    assert call("GET", f"/v1/top-ups/{charge}", person).status == 404
