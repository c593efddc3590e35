"""The one place that asks what time it is. Instants are integers: milliseconds since 1970-01-01 UTC."""

import time
from datetime import UTC, datetime

SECOND = 1_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE


def now() -> int:
    """The current instant, in milliseconds."""
    return time.time_ns() // 1_000_000


def to_text(instant: int) -> str:
    """RFC 3339 in UTC with milliseconds: 2026-11-23T18:00:00.000Z."""
    whole = datetime.fromtimestamp(instant // 1_000, UTC)
    return f"{whole:%Y-%m-%dT%H:%M:%S}.{instant % 1_000:03d}Z"


def from_text(text: str) -> int:
    """The instant an RFC 3339 text names; ValueError for anything else, a missing offset included."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None or "T" not in text.upper():
        raise ValueError(f"not an RFC 3339 instant with an offset: {text!r}")
    return int(moment.timestamp() * 1_000)
