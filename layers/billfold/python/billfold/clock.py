"""The one place that asks what time it is, or waits. Instants are integers: milliseconds since 1970-01-01 UTC."""

import os
import random
import re
import time
from datetime import UTC, datetime, timedelta

SECOND = 1_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_RFC_3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)


def now() -> int:
    """The current instant, in milliseconds."""
    return time.time_ns() // 1_000_000


def back_off(tries: int) -> None:
    """Wait before one more try, after so many: full jitter up to 10 ms, doubled by each further try, so that the losers of a race
    come back one after another. `BILLFOLD_BACK_OFF_MS` sets another first wait."""
    longest_ms = float(os.environ.get("BILLFOLD_BACK_OFF_MS", "10")) * 2 ** (tries - 1)
    time.sleep(random.uniform(0, longest_ms) / 1_000)


def to_text(instant: int) -> str:
    """RFC 3339 in UTC with milliseconds: 2026-11-23T18:00:00.000Z."""
    whole = datetime.fromtimestamp(instant // 1_000, UTC)
    return f"{whole:%Y-%m-%dT%H:%M:%S}.{instant % 1_000:03d}Z"


def from_text(text: str) -> int:
    """The instant an RFC 3339 text names, cut to milliseconds; ValueError for anything else, a missing offset included."""
    if not _RFC_3339.fullmatch(text):
        raise ValueError(f"not an RFC 3339 instant with an offset: {text!r}")
    # A leap second is the last of a day in UTC; like POSIX we give it the number of the second that follows.
    leap = text[17:19] == "60"
    named = datetime.fromisoformat(f"{text[:17]}59{text[19:]}".upper() if leap else text.upper())
    # Whole numbers all the way: as a float, one instant in some dozens would lose its last millisecond.
    instant = (named - _EPOCH) // timedelta(milliseconds=1) + SECOND * leap
    if leap and instant % (24 * HOUR) >= SECOND:
        raise ValueError("a leap second ends a day in UTC")
    return instant
