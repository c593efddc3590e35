"""A search of logs reaches the last line of the busiest group (CB-18): a leak there stayed unseen (issue 12)."""

import pytest

from tests.cloud.log_events import log_events
from tests.deployment.fake_aws import Client


class Logs(Client):
    """FilterLogEvents as the local cloud has it: the first of what it finds, and no token."""

    def __init__(self, events, limit):
        self._events, self._limit = events, limit

    def filter_log_events(self, logGroupName, startTime):  # noqa: N803
        found = [event for event in self._events if event["timestamp"] >= startTime]
        return {"events": found[: self._limit]}


@pytest.mark.parametrize("at_once", [1, 2, 7])
@pytest.mark.parametrize("number", [0, 1, 9, 10, 11, 95, 1000])
def test_every_event_of_a_busy_group_is_searched_once(number, at_once):
    """Several events share an instant, and the end of a search may fall among them."""
    events = [{"timestamp": 5_000 + one // at_once, "message": f"line {one}"} for one in range(number)]
    assert list(log_events(Logs(events, 10), "group")) == events
