"""Adding events to their audiences' feeds."""

from billfold.events import Event
from billfold.tables import event_rows
from tests.delivery import sqs_event
from tests.world import STEPS, call


def event(person, number):
    return Event(
        f"bil_x/{number:04d}", person.user_id, "bill.opened", "bil_x", 1_700_000_000_000 + number, {"n": number}
    )


def record(*events):
    return STEPS["record_events"].handler(sqs_event(event_rows.encode(one) for one in events), None)


def feed(person):
    return [(one["id"], one["data"]["n"]) for one in call("GET", "/v1/events", person).body["items"]]


def test_events_are_numbered_without_gaps_in_the_order_in_which_they_came(visitor):
    """XX-03: once read, the order never changes."""
    assert record(event(visitor, 2), event(visitor, 1)) == {"batchItemFailures": []}
    record(event(visitor, 3))
    assert feed(visitor) == [("evt_000000000001", 2), ("evt_000000000002", 1), ("evt_000000000003", 3)]


def test_a_change_is_told_once_to_each_audience(visitor, alice):
    """At least once is once: delivered twice, in one batch or later."""
    record(event(visitor, 1), event(visitor, 1), event(alice, 1))
    record(event(visitor, 1), event(alice, 1))
    assert feed(visitor) == feed(alice) == [("evt_000000000001", 1)]


def test_a_message_that_cannot_be_read_fails_alone(visitor):
    """The others of its batch are recorded."""
    bodies = ["{}", event_rows.encode(event(visitor, 1))]
    answer = STEPS["record_events"].handler(sqs_event(bodies), None)
    assert answer == {"batchItemFailures": [{"itemIdentifier": "message-0"}]}
    assert len(feed(visitor)) == 1
