"""The sliding window against a naive one that remembers everything (CB-17)."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billfold import limits
from billfold.limits import Limit

SECOND = 1_000


def allowed(limit: Limit, happened: list[int], now: int) -> bool:
    """Whether no span as long as the window, ending now, would hold too many with one more."""
    return sum(now - limit.within < at for at in happened) < limit.most


@settings(max_examples=300, derandomize=True, database=None, deadline=None)
@given(
    st.builds(Limit, st.integers(1, 6), st.sampled_from([1, 999, SECOND, 10 * SECOND, 61_001])),
    st.lists(st.integers(0, 25 * SECOND), min_size=1, max_size=40),
)
def test_no_span_ever_holds_more_than_the_limit_and_nobody_waits_for_nothing(limit, pauses):
    """CB-17: allowed exactly when a full history allows it; who waits as long as he is told is let in, a second sooner is not."""
    now, happened, kept = 1_000_000, [], []
    for pause in pauses:
        now += pause
        wait = limits.wait_seconds(limit, kept, now)
        assert (wait == 0) == allowed(limit, happened, now)
        if wait:
            assert allowed(limit, happened, now + wait * SECOND)
            assert limits.wait_seconds(limit, kept, now + wait * SECOND) == 0
            assert not allowed(limit, happened, now + (wait - 1) * SECOND)
            continue
        happened.append(now)
        kept = limits.counted(limit, kept, now)
        assert len(kept) <= limit.most, "a row never grows"
        window = [at for at in happened if now - limit.within < at <= now]
        assert len(window) <= limit.most
        assert kept == window


def test_the_window_slides_and_knows_no_calendar():
    """CB-17: three within ten seconds: the fourth waits for the first to be ten seconds old, not for a new minute."""
    limit, times = Limit(3, 10 * SECOND), [1_000, 4_000, 9_000]
    assert limits.wait_seconds(limit, times[:2], 9_500) == 0
    assert [limits.wait_seconds(limit, times, now) for now in (9_000, 9_001, 10_000, 10_999, 11_000)] == [2, 2, 1, 1, 0]
    assert limits.counted(limit, times, 11_000) == [4_000, 9_000, 11_000]


def test_what_never_happened_need_not_wait():
    """CB-17: a first try is always free."""
    assert limits.wait_seconds(Limit(1, 10 * SECOND), [], 0) == 0


@pytest.mark.parametrize(
    ("addresses", "networks"),
    [
        (["203.0.113.7", "::ffff:203.0.113.7"], 1),
        (["203.0.113.7", "203.0.113.8"], 2),
        ([f"2001:db8:1:2:{host:x}::{host:x}" for host in range(1, 20)], 1),
        (["2001:DB8:1:2::1", "2001:0db8:0001:0002:ffff:ffff:ffff:ffff"], 1),
        (["2001:db8:1:2::1", "2001:db8:1:3::1"], 2),
        (["", "unknown", "fe80::1%eth0"], 3),
    ],
    ids=["mapped", "neighbours", "of a subscriber", "spelled otherwise", "of two subscribers", "no addresses"],
)
def test_an_ipv6_subscriber_counts_as_one(addresses: list[str], networks: int):
    """CB-17, issue 12 F13: a /64 is what one subscriber has, of IPv4 an address."""
    assert len({limits.network(address) for address in addresses}) == networks
