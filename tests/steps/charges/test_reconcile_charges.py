"""Comparing a day's charges with each bank's own list."""

import io
import json
import os

import pytest

from billfold import banks, charges, clock
from billfold.errors import Unavailable
from infra import reconciliation, stages
from infra.clouds import Cloud
from infra.stacks import DeploymentFailed
from tests import delivery, world
from tests.world import STEPS


@pytest.fixture(autouse=True)
def no_other_charges(store):
    """It compares everybody's charges, so each test starts without any."""
    store.empty(streams=True)


def compare():
    return STEPS["reconcile_charges"].handler({}, None)["found"]


def reports(store):
    rows = [row for row in store.rows("charges") if row["pk"]["S"].startswith("rec_")]
    return {row["pk"]["S"]: json.loads(row["differences"]["S"]) for row in rows}


def test_a_day_on_which_both_agree_has_an_empty_report(store, cards, later):
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


def test_what_the_bank_made_and_we_never_heard_of_is_found_and_then_settled(store, cards, queues, later):
    """CB-21: the difference is reported, and the charge asked for once more."""
    person, card = cards.active("charge_lost")
    charge = cards.top_up(person, card).body["id"]
    STEPS["settle_charge"].handler(delivery.sqs_event([charge]), None)
    later(days=1)
    assert compare() == 1
    ((difference,),) = filter(None, reports(store).values())
    assert (difference["kind"], difference["key"]) == ("state", charge)
    delivery.drain(queues)
    assert world.wallet(person) == 2_500
    assert compare() == 0


def test_a_charge_that_only_the_bank_knows_is_found(store, cards, later):
    """CB-21: somebody charged with our token, by another key."""
    person, card = cards.active()
    token = next(row["token"]["S"] for row in store.rows("cards") if row["sk"]["S"] == "#")
    assert banks.bank("sandbox").charge("by hand", token, 700, "USD", "nobody").outcome == "charged"
    later(days=1)
    assert compare() == 1
    ((difference,),) = filter(None, reports(store).values())
    assert (difference["kind"], difference["key"], difference["there"]["amount"]) == ("missing_here", "by hand", 700)
    assert cards.seen(person, card)["state"] == "active"


def test_a_day_is_compared_once_and_anew_when_its_report_was_taken_away(store, cards, later):
    """CB-21: a report is of one day and one bank; `compare-day` takes it away."""
    person, card = cards.active()
    cards.top_up(person, card)
    cards.settle()
    day = clock.to_text(clock.now())[:10]
    later(days=1)
    assert compare() == 0
    (banked,) = [row for row in bank_payments(store) if row["amount"]["N"] == "2500"]
    store.client.delete_item(TableName="billfold-sandbox_bank", Key={"pk": banked["pk"], "sk": banked["sk"]})
    assert compare() == 0, "it has a report"
    store.client.delete_item(TableName="billfold-charges", Key={"pk": {"S": f"rec_{day}"}, "sk": {"S": "sandbox"}})
    assert compare() == 1
    assert [one["kind"] for one in reports(store)[f"rec_{day}"]] == ["missing_there"]


def test_a_charge_that_was_settling_when_its_day_was_compared_is_compared_once_more(store, cards, later):
    """CB-21: what its bank makes after that is compared too, once it can make no more of that day; then the report stands."""
    midnight = clock.now() - clock.now() % charges.DAY + charges.DAY
    later(seconds=(midnight - clock.now()) // 1000 - 600)
    person, card = cards.active()
    charge = cards.top_up(person, card).body["id"]
    later(hours=2, minutes=20)
    assert compare() == 0
    STEPS["settle_charge"].handler(delivery.sqs_event([charge]), None)
    (banked,) = [row for row in bank_payments(store) if row["amount"]["N"] == "2500"]
    store.client.delete_item(TableName="billfold-sandbox_bank", Key={"pk": banked["pk"], "sk": banked["sk"]})
    assert compare() == 0
    later(days=1)
    assert compare() == 1
    ((difference,),) = filter(None, reports(store).values())
    assert (difference["kind"], difference["key"]) == ("missing_there", charge)
    assert compare() == 0


def test_operations_take_no_report_away_that_would_not_be_made_anew(store, cards, queues, later):
    """CB-21: of the oldest day that is compared, not of the one before, nor of today or a day that is none."""
    assert compare() == 0
    cloud = Cloud("eu-west-1", "123456789012", None, {"dynamodb": store.client, "lambda": Reconciling()})
    oldest, newest = min(reports(store))[4:], max(reports(store))[4:]
    later(days=1)
    for day in (oldest, clock.to_text(clock.now())[:10], "yesterday"):
        with pytest.raises(DeploymentFailed):
            reconciliation.compare_anew(cloud, stages.stage(stages.LOCAL), day, clock.now())
    assert f"rec_{oldest}" in reports(store)
    store.client.update_item(
        TableName="billfold-charges",
        Key={"pk": {"S": f"rec_{newest}"}, "sk": {"S": "sandbox"}},
        UpdateExpression="SET #found = :wrong",
        ExpressionAttributeNames={"#found": "found"},
        ExpressionAttributeValues={":wrong": {"N": "7"}},
    )
    assert reconciliation.compare_anew(cloud, stages.stage(stages.LOCAL), newest, clock.now()) == 0
    (report,) = reconciliation.reports(cloud, stages.stage(stages.LOCAL), newest)
    assert report.found == 0


class Reconciling:
    """Lambda, as far as comparing anew needs it."""

    def invoke(self, FunctionName: str, Payload: bytes) -> dict:  # noqa: N803
        found = STEPS[FunctionName.partition(":")[0].removeprefix("billfold-").replace("-", "_")].handler({}, None)
        return {"Payload": io.BytesIO(json.dumps(found).encode())}


def bank_payments(store):
    return [row for row in store.rows("sandbox_bank") if "amount" in row]


@pytest.mark.parametrize("missed", [1, 5, 12])
def test_a_day_on_which_nobody_could_compare_is_compared_later(store, cards, later, monkeypatch, missed):
    """CB-21, L-14, issue 12 F8: whether the bank was silent or the schedule did not run; and no other day is reported twice."""
    person, card = cards.active("charge_lost")
    charge = cards.top_up(person, card).body["id"]
    STEPS["settle_charge"].handler(delivery.sqs_event([charge]), None)
    day = clock.to_text(clock.now())[:10]
    later(days=1)
    with monkeypatch.context() as silent:
        silent.setattr(banks, "bank", lambda name: SilentBank())
        with pytest.raises(Unavailable):
            compare()
    assert reports(store) == {}
    later(days=missed)
    assert compare() == 1
    found = reports(store)
    assert [one["key"] for one in found[f"rec_{day}"]] == [charge]
    assert len(found) == 14
    assert sum(map(len, found.values())) == 1
    assert compare() == 0


def test_a_bank_that_does_not_answer_keeps_no_other_from_being_compared(store, cards, later, monkeypatch):
    """CB-21: the others' reports are there; the run fails, so that it comes again and is seen."""
    monkeypatch.setenv("BILLFOLD_ISSUERS", os.environ["BILLFOLD_ISSUERS"] + " 9=another")
    adapters = {"another": SilentBank(), "sandbox": banks.bank("sandbox")}
    monkeypatch.setattr(banks, "bank", adapters.__getitem__)
    later(days=1)
    with pytest.raises(Unavailable):
        compare()
    assert len(reports(store)) == 14


class SilentBank:
    def charges(self, since, until, cursor):
        raise Unavailable()
