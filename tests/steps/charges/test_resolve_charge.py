"""`python -m infra resolve-charge`: what operations found out at a bank, on its way to the step that settles charges."""

import pytest

from billfold import clock
from billfold.charges import charge_rows
from infra.deploy.clouds import Cloud
from infra.operations import reconciliation
from infra.operations.reconciliation import NotToResolve
from infra.plan import stages
from tests import world
from tests.cloud import delivery


@pytest.fixture
def say(store, queues):
    """What operations say of a charge, at the clock's now."""
    cloud = Cloud("us-east-1", "123456789012", None, {"dynamodb": store.client, "sqs": queues})

    def say(charge, outcome, reference=""):
        return reconciliation.resolve(cloud, stages.stage(stages.LOCAL), charge, outcome, reference, clock.now())

    return say


def test_a_charge_is_settled_by_what_operations_found_out(cards, queues, later, say):
    """CB-21: a day later, through the queue and the step that settle every charge."""
    person, card = cards.active("charge_ignored")
    charge = cards.top_up(person, card).body["id"]
    later(days=1)
    assert say(charge, "charged", "found-by-hand") == "top_up of 2500 USD (minor units)"
    delivery.drain(queues)
    found = charge_rows.load(charge).present
    assert (found.state, found.reference, world.wallet(person)) == ("settled", "found-by-hand", 2_500)
    with pytest.raises(NotToResolve, match="is settled"):
        say(charge, "declined")


def test_what_is_not_to_be_resolved_by_hand_is_refused(cards, queues, later, say):
    """CB-21: nothing is queued for a charge that does not exist, may still be asked for, or cannot have ended so."""
    person, card = cards.active("charge_ignored")
    charge = cards.top_up(person, card).body["id"]
    with pytest.raises(NotToResolve, match="still being asked for"):
        say(charge, "declined")
    with pytest.raises(NotToResolve, match="no charge"):
        say("chg_of_nobody", "declined")
    later(days=1)
    for outcome in ("refunded", "unknown", ""):
        with pytest.raises(NotToResolve, match="is not"):
            say(charge, outcome)
    words = [("charged", said) for said in ("", "pay_1 extra words", "pay_1\n", " pay_1", "pay/1", "é", "x" * 256)]
    for outcome, reference in (*words, ("declined", "pi_1")):
        with pytest.raises(NotToResolve, match="reference"):
            say(charge, outcome, reference)
    delivery.drain(queues)
    assert charge_rows.load(charge).present.state == "settling"
