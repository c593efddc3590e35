"""Comparing a day's charges with each bank's own list, from the schedule to the reports."""

import json
import os

import pytest

from billfold import banks, charges, clock
from tests import world
from tests.cloud import delivery
from tests.cloud import queues as made_queues
from tests.world import STEPS

# Where nobody answers: no program may use this port.
NOBODY = "http://127.0.0.1:1"


@pytest.fixture(autouse=True)
def no_other_charges(store):
    """It compares everybody's charges, so each test starts without any."""
    store.empty(streams=True)


@pytest.fixture
def compare(store, cards):
    """Runs the day's schedule and the comparisons that it begins; how many differences the reports have more."""

    def run():
        before = sum(map(len, reports(store).values()))
        STEPS["reconcile_charges"].handler({}, None)
        for message in made_queues.bodies(cards.queues, "comparisons"):
            STEPS["compare_charges"].handler(delivery.sqs_event([message]), None)
        return sum(map(len, reports(store).values())) - before

    return run


def reports(store):
    rows = [row for row in store.rows("charges") if row["pk"]["S"].startswith("rec_")]
    return {
        row["pk"]["S"] + row["sk"]["S"].removeprefix("sandbox"): json.loads(row["differences"]["S"]) for row in rows
    }


def test_a_day_on_which_both_agree_has_an_empty_report(store, cards, later, compare):
    """CB-21: settled and declined alike; today is not compared yet."""
    for behaviour in ("approved", "without_funds"):
        person, card = cards.active(behaviour)
        cards.top_up(person, card)
    cards.settle()
    day = clock.to_text(clock.now())[:10]
    later(days=1)
    assert compare() == 0
    found = reports(store)
    assert (found[f"rec_{day}"], len(found)) == ([], 14)


def test_what_the_bank_made_and_we_never_heard_of_is_found_and_then_settled(store, cards, later, compare):
    """CB-21: the difference is reported, and the charge asked for once more."""
    person, card = cards.active("charge_lost")
    charge = cards.top_up(person, card).body["id"]
    STEPS["settle_charge"].handler(delivery.sqs_event([charge]), None)
    later(days=1)
    assert compare() == 1
    ((difference,),) = filter(None, reports(store).values())
    assert (difference["kind"], difference["key"]) == ("state", charge)
    delivery.drain(cards.queues)
    assert world.wallet(person) == 2_500
    assert compare() == 0


def test_a_charge_that_only_the_bank_knows_is_found(store, cards, later, compare):
    """CB-21: somebody charged with our token, by another key."""
    person, card = cards.active()
    token = next(row["token"]["S"] for row in store.rows("cards") if row["sk"]["S"] == "#")
    assert banks.bank("sandbox").charge("by hand", token, 700, "USD", "nobody").outcome == "charged"
    later(days=1)
    assert compare() == 1
    ((difference,),) = filter(None, reports(store).values())
    assert (difference["kind"], difference["key"], difference["there"]["amount"]) == ("missing_here", "by hand", 700)
    assert cards.seen(person, card)["state"] == "active"


def test_a_day_is_compared_once(store, cards, later, compare):
    """CB-21: what changes at the bank later is found by `compare-day`, which is asked for."""
    person, card = cards.active()
    cards.top_up(person, card)
    cards.settle()
    later(days=1)
    assert compare() == 0
    (banked,) = [row for row in store.rows("sandbox_bank") if row.get("amount", {}).get("N") == "2500"]
    store.client.delete_item(TableName="billfold-sandbox_bank", Key={"pk": banked["pk"], "sk": banked["sk"]})
    assert compare() == 0
    assert STEPS["reconcile_charges"].handler({}, None)["found"] == 0


def test_a_charge_that_was_settling_when_its_day_was_compared_is_compared_once_more(store, cards, later, compare):
    """CB-21: what its bank makes after that is compared too, once it can make no more of that day; then the report stands."""
    midnight = clock.now() - clock.now() % charges.DAY + charges.DAY
    later(seconds=(midnight - clock.now()) // 1000 - 600)
    person, card = cards.active()
    charge = cards.top_up(person, card).body["id"]
    later(hours=2, minutes=20)
    assert compare() == 0
    STEPS["settle_charge"].handler(delivery.sqs_event([charge]), None)
    (banked,) = [row for row in store.rows("sandbox_bank") if row.get("amount", {}).get("N") == "2500"]
    store.client.delete_item(TableName="billfold-sandbox_bank", Key={"pk": banked["pk"], "sk": banked["sk"]})
    assert compare() == 0
    later(days=1)
    assert compare() == 1
    ((difference,),) = filter(None, reports(store).values())
    assert (difference["kind"], difference["key"]) == ("missing_there", charge)
    assert compare() == 0


@pytest.mark.parametrize("missed", [1, 5, 12])
def test_a_day_on_which_nobody_could_compare_is_compared_later(store, cards, later, monkeypatch, compare, missed):
    """CB-21, L-14, issue 12 F8: whether the bank was silent or the schedule did not run; and no other day is reported twice."""
    person, card = cards.active("charge_lost")
    charge = cards.top_up(person, card).body["id"]
    STEPS["settle_charge"].handler(delivery.sqs_event([charge]), None)
    day = clock.to_text(clock.now())[:10]
    later(days=1)
    with monkeypatch.context() as silent:
        silent.setenv("BILLFOLD_SANDBOX_BANK_ADDRESS", NOBODY)
        compare()
    assert reports(store) == {}
    later(days=missed)
    assert compare() == 1
    found = reports(store)
    assert [one["key"] for one in found[f"rec_{day}"]] == [charge]
    assert sum(map(len, found.values())) == 1
    assert len(found) == charges.LOOKS_BACK_DAYS
    assert compare() == 0


def test_a_bank_that_does_not_answer_keeps_no_other_from_being_compared(store, cards, later, monkeypatch, compare):
    """CB-21: the others' reports are there; its own comparisons wait in their messages."""
    monkeypatch.setenv("BILLFOLD_ISSUERS", os.environ["BILLFOLD_ISSUERS"] + " 9=stripe")
    monkeypatch.setenv("BILLFOLD_STRIPE_ADDRESS", NOBODY)
    later(days=1)
    compare()
    assert len(reports(store)) == charges.LOOKS_BACK_DAYS
    assert STEPS["reconcile_charges"].handler({}, None)["found"] == charges.LOOKS_BACK_DAYS
