"""The sliding window against a naive one that remembers everything (CB-17)."""

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
