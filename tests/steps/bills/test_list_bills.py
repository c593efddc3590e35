"""Listing the caller's bills."""

import pytest

from billfold import bills
from billfold.tables import journals
from tests import world
from tests.world import call


def test_the_callers_bills_are_listed_newest_first(visitor, alice):
    """XX-05: one's own only, without their items."""
    world.opened(alice)
    bills = []
    for _ in range(3):
        bills.append(world.opened(visitor))
        world.close(visitor, bills[-1])
    listed = call("GET", "/v1/bills", visitor).body["items"]
    assert [bill["id"] for bill in listed] == bills[::-1]
    assert set(listed[0]) == {"id", "state", "device", "opened_at", "expires_at", "total"}


def test_a_state_picks_the_bills_in_it(visitor):
    """The filter shows what is in the state now."""
    done = world.opened(visitor)
    world.close(visitor, done)
    active = world.opened(visitor)
    for state, bill in (("active", active), ("expired_empty", done)):
        listed = call("GET", "/v1/bills", visitor, query={"state": state}).body["items"]
        assert [one["id"] for one in listed] == [bill]


@pytest.mark.parametrize("state", bills.STATES)
def test_each_state_that_a_bill_can_have_picks_the_bills_in_it(store, visitor, state):
    """Issue 8 §2: `settling` too, whose bills wait for a bank; a bill in another state stays out."""
    found = []
    for other in (state, next(one for one in bills.STATES if one != state)):
        bill = world.opened(visitor)
        world.close(visitor, bill)
        store.client.update_item(
            TableName="billfold-bills",
            Key={"pk": {"S": bill}, "sk": {"S": journals.HEAD}},
            UpdateExpression="SET #state = :state",
            ExpressionAttributeNames={"#state": "state"},
            ExpressionAttributeValues={":state": {"S": other}},
        )
        found.append(bill)
    listed = call("GET", "/v1/bills", visitor, query={"state": state}).body["items"]
    assert [(one["id"], one["state"]) for one in listed] == [(found[0], state)]


@pytest.mark.parametrize("query", [{"state": "paid"}, {"limit": "0"}, {"cursor": "made-up"}])
def test_a_filter_that_makes_no_sense_is_refused(visitor, query):
    """With a pointer to the parameter."""
    answer = call("GET", "/v1/bills", visitor, query=query)
    assert (answer.status, answer.body["pointer"]) == (400, f"/{next(iter(query))}")


def test_somebody_new_has_an_empty_list(store):
    """No user row is needed to look."""
    assert call("GET", "/v1/bills", world.Person()).body == {"items": []}
