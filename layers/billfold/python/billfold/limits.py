"""Limits: how often something may happen within a span of time, over any such span (a sliding window, not a calendar's)."""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass

from billfold.clock import SECOND


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `most` times within `within` milliseconds."""

    most: int
    within: int


def network(address: str) -> str:
    """Where a call came from, as limits count it: an IPv4 address, of IPv6 the first 64 bits, a text that is no address as it is.

    A subscriber is given a /64 at least, and may call from each of its 2^64 addresses (RFC 6177).
    """
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv6Address):
        return str(found.ipv4_mapped or ipaddress.ip_network((found.packed, 64), strict=False))
    return str(found)


def wait_seconds(limit: Limit, times: Sequence[int], now: int) -> int:
    """How long until it may happen again; 0: now. `times` are the instants it happened, oldest first."""
    recent = [at for at in times if at > now - limit.within]
    if len(recent) < limit.most:
        return 0
    return -(-(recent[-limit.most] + limit.within - now) // SECOND)


def counted(limit: Limit, times: Sequence[int], now: int) -> list[int]:
    """The instants with one more, without those that no longer matter."""
    return [*(at for at in times if at > now - limit.within), now][-limit.most :]
