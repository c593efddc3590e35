"""Limits: how often something may happen within a span of time, over any such span (a sliding window, not a calendar's)."""

from collections.abc import Sequence
from dataclasses import dataclass

from billfold.clock import SECOND


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `most` times within `within` milliseconds."""

    most: int
    within: int


def wait_seconds(limit: Limit, times: Sequence[int], now: int) -> int:
    """How long until it may happen again; 0: now. `times` are the instants it happened, oldest first."""
    recent = [at for at in times if at > now - limit.within]
    if len(recent) < limit.most:
        return 0
    return -(-(recent[-limit.most] + limit.within - now) // SECOND)


def counted(limit: Limit, times: Sequence[int], now: int) -> list[int]:
    """The instants with one more, without those that no longer matter."""
    return [*(at for at in times if at > now - limit.within), now][-limit.most :]
