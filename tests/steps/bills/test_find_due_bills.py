"""Finding the bills that time should change, every minute."""

import pytest

from tests import world
from tests.cloud import delivery
from tests.cloud.queues import bodies
from tests.world import STEPS, close, tap


@pytest.fixture(autouse=True)
def no_other_bills(store):
    """The sweep looks at everyone's bills, so each test starts without any."""
    store.empty(streams=True)


def found():
    return STEPS["find_due_bills"].handler({}, None)["found"]


def test_what_is_due_is_queued_and_nothing_else(queues, later):
    """XX-04, VB-13: it reads the sparse index of deadlines."""
    due = [world.opened(world.joined(pin=None), period_seconds=5) for _ in range(12)]
    world.opened(world.joined(pin=None), period_seconds=3600)
    assert found() == 0
    later(seconds=6)
    assert found() == 12
    assert sorted(bodies(queues, "due-bills")) == sorted(due)


def test_what_was_done_is_found_no_more(queues, later):
    """XX-04: removing the attributes removes the entry."""
    person = world.joined(pin=None)
    bill = world.opened(person, period_seconds=5)
    later(seconds=6)
    assert found() == 1
    delivery.drain(queues)
    assert world.shown(person, bill)["state"] == "expired_empty"
    assert found() == 0


def test_a_bill_is_found_at_each_of_its_deadlines(queues, later):
    """VB-13, VB-16: period, reminder, end; by then the user hears `unpaid`."""
    shop, person = world.seller(terminals=1), world.joined(pin=None)
    bill = world.opened(person, period_seconds=300)
    tap(person, bill, [shop.tills[0].item(bill, [("tea", 1, 150)])])
    for minutes, state in ((6, "verifying"), (16, "verifying"), (15, "unpaid")):
        later(minutes=minutes)
        assert found() == 1
        delivery.drain(queues)
        assert found() == 0
        assert world.shown(person, bill)["state"] == state


def test_a_closed_empty_bill_has_no_deadline(queues, later):
    """VB-18: nothing is left to do."""
    person = world.joined(pin=None)
    close(person, world.opened(person))
    later(hours=25)
    assert found() == 0
