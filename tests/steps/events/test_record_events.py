"""Adding events to their audiences' feeds."""

from billfold.events import Event, event_rows
from tests.cloud import delivery
from tests.cloud.queues import bodies
from tests.world import STEPS, call

CLEAN = {"batchItemFailures": []}


def event(person, number):
    change = f"bil_x/{number:04d}"
    return Event(change, person.user_id, "bill.opened", "bil_x", 1_700_000_000_000 + number, {"n": number})


def record(*told):
    """One batch, in which each feed's messages are in order."""
    records = [
        one for event in told for one in delivery.in_order(event.audience, [event_rows.encode(event)])["Records"]
    ]
    return STEPS["record_events"].handler({"Records": records}, None)


def feed(person):
    return [(one["id"], one["data"]["n"]) for one in call("GET", "/v1/events", person).body["items"]]


def test_events_are_numbered_without_gaps_in_the_order_in_which_they_came(visitor):
    """XX-03: once read, the order never changes."""
    assert record(event(visitor, 2), event(visitor, 1)) == CLEAN
    record(event(visitor, 3))
    assert feed(visitor) == [("evt_000000000001", 2), ("evt_000000000002", 1), ("evt_000000000003", 3)]


def test_a_change_is_told_once_to_each_audience(visitor, alice):
    """At least once is once: delivered twice, in one batch or later."""
    record(event(visitor, 1), event(alice, 1), event(visitor, 1))
    record(event(visitor, 1), event(alice, 1), event(visitor, 2))
    assert feed(alice) == [("evt_000000000001", 1)]
    assert feed(visitor) == [("evt_000000000001", 1), ("evt_000000000002", 2)]


def test_what_is_no_event_of_its_feed_becomes_a_dead_letter_at_once_and_the_others_go_on(visitor, alice, queues):
    """A3, XX-03: nonsense, a newer writer's message, text that no table takes, and another's event hold nobody up."""
    surrogate = event_rows.encode(event(visitor, 3)).replace("bill.opened", "\\ud800")
    poison = ["{}", "nonsense", "\uffff", '{"change":1}', surrogate, event_rows.encode(event(alice, 1))]
    told = [event_rows.encode(event(visitor, 1)), *poison, event_rows.encode(event(visitor, 2))]
    assert STEPS["record_events"].handler(delivery.in_order(visitor.user_id, told), None) == CLEAN
    assert [number for _, number in feed(visitor)] == [1, 2]
    assert list(bodies(queues, "feeds-dead")) == [*poison]
    assert feed(alice) == []


def test_when_the_table_is_away_all_that_a_feed_was_sent_comes_again(visitor, store):
    """XX-03: nothing overtakes what failed; other feeds of the batch do not wait."""
    store.client.delete_table(TableName="billfold-events")
    batch = delivery.in_order(visitor.user_id, [event_rows.encode(event(visitor, n)) for n in (1, 2)])
    failed = STEPS["record_events"].handler(batch, None)["batchItemFailures"]
    store.empty(streams=True)
    assert [one["itemIdentifier"] for one in failed] == ["message-0", "message-1"]
    assert STEPS["record_events"].handler(batch, None) == CLEAN
    assert [number for _, number in feed(visitor)] == [1, 2]
