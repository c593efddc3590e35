"""How often cards were tried and photos begun, and who must cool down. How a limit counts is in `billfold/limits.py`.

They are rows of the table `cards`:

pk     sk     what
lim_…  limit  when cards were tried by a user, a device, an address or with a fingerprint; deleted by TTL
cld_…  limit  until when a user must wait before trying a card again
"""

from collections.abc import Iterable, Mapping

from billfold import cards, ids, limits
from billfold.clock import HOUR, SECOND
from billfold.limits import Limit
from billfold.tables.rows import Commit, Integer, Json, Key, Row, table

# CB-17. An address can be a whole shop's network; a fingerprint is one card, whoever tries it.
LIMITS = {
    "user": Limit(10, 24 * HOUR),
    "device": Limit(10, 24 * HOUR),
    "fingerprint": Limit(10, 24 * HOUR),
    "address": Limit(60, HOUR),
    # Reading a photo costs a second of a large function.
    "photos": Limit(30, HOUR),
}
LIMIT_KEPT = 25 * HOUR


class LimitRow(Row):
    class Meta:
        table_name = table("cards")

    SORT = "limit"
    times = Json()
    expires_at = Integer()


def cooling_key(user: str, fingerprint: str) -> Key:
    return (LimitRow, ids.derived("cld", user, fingerprint), LimitRow.SORT)


def put_cooling(commit: Commit, user: str, fingerprint: str, now: int) -> None:
    """Add to a commit that this user must wait before trying this card again (CB-09)."""
    _, pk, sk = cooling_key(user, fingerprint)
    until = now + cards.COOL_DOWN
    commit.put(LimitRow(pk, sk, times=[until], expires_at=until // SECOND))


def keys(whos: Mapping[str, str]) -> dict[str, Key]:
    """The rows that count tries by each of these: a user, a device, a fingerprint, an address."""
    return {kind: (LimitRow, ids.derived("lim", kind, who), LimitRow.SORT) for kind, who in whos.items()}


def wait_seconds(rows: Mapping[Key, Row], whos: Mapping[str, str], cooling: Iterable[Key], now: int) -> int:
    """How long until a card may be tried again; 0: now."""
    counted = keys(whos)
    waits = [limits.wait_seconds(LIMITS[kind], _times(rows.get(key)), now) for kind, key in counted.items()]
    waits += [-(-(until - now) // SECOND) for key in cooling for until in _times(rows.get(key))]
    return max(0, *waits)


def count_try(commit: Commit, rows: Mapping[Key, Row], whos: Mapping[str, str], now: int) -> None:
    """Add one more try to a commit; each row is as it was read."""
    for kind, key in keys(whos).items():
        times, expires_at = _times(rows.get(key)), (now + LIMIT_KEPT) // SECOND
        row = LimitRow(key[1], key[2], times=limits.counted(LIMITS[kind], times, now), expires_at=expires_at)
        commit.put(row, LimitRow.times == times if key in rows else LimitRow.pk.does_not_exist())


def _times(row: Row | None) -> list[int]:
    return list(row.times) if isinstance(row, LimitRow) else []
