"""How often cards were tried, photos begun and wallets topped up, and who must cool down. How limits count: `billfold/limits.py`.

They are rows of the table `cards`:

pk     sk     what
lim_…  limit  when cards were tried by a user, a device, an address or with a fingerprint, and so on; deleted by TTL
cld_…  limit  until when a user must wait before trying a card again
"""

from collections.abc import Iterable, Mapping, Sequence

from billfold import ids, limits
from billfold.clock import HOUR, SECOND
from billfold.limits import Limit
from billfold.tables.commits import Commit
from billfold.tables.rows import Integer, Json, Key, Row, table

# CB-17. An address can be a whole shop's network, and of IPv6 is a /64; a fingerprint is one card, whoever tries it.
LIMITS = {
    "user": Limit(10, 24 * HOUR),
    "device": Limit(10, 24 * HOUR),
    "fingerprint": Limit(10, 24 * HOUR),
    "address": Limit(60, HOUR),
    # Reading a photo costs a second of a large function.
    "photos": Limit(30, HOUR),
    # An ID token is all that a top-up asks for; declined ones count too.
    "top_ups": Limit(10, 24 * HOUR),
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


def put_cooling(commit: Commit, user: str, fingerprint: str, until: int) -> None:
    """Add to a commit that this user must wait until then before trying this card again (CB-09)."""
    _, pk, sk = cooling_key(user, fingerprint)
    commit.put(LimitRow(pk, sk, times=[until], expires_at=until // SECOND))


# By kind of limit whose tries count: under the first, together with what was counted under the others, older names of the same.
Whos = Mapping[str, Sequence[str]]


def of_binding(user: str, device: str, fingerprints: Sequence[str], address: str) -> Whos:
    """By whom and with what a card is tried: its number counts under its fingerprints of every generation of keys (CB-17)."""
    return {"user": [user], "device": [device], "fingerprint": fingerprints, "address": [limits.network(address)]}


def keys(whos: Whos) -> dict[str, list[Key]]:
    """The rows that count tries by each of these: a user, a device, a fingerprint, an address."""
    return {kind: [(LimitRow, ids.derived("lim", kind, who), LimitRow.SORT) for who in of] for kind, of in whos.items()}


def all_keys(whos: Whos) -> list[Key]:
    """Every row that is to be read before trying."""
    return [key for of in keys(whos).values() for key in of]


def wait_seconds(rows: Mapping[Key, Row], whos: Whos, cooling: Iterable[Key], now: int) -> int:
    """How long until a card may be tried again; 0: now."""
    waits = [-(-(until - now) // SECOND) for key in cooling for until in _times(rows.get(key))]
    for kind, of in keys(whos).items():
        times = sorted(at for key in of for at in _times(rows.get(key)))
        waits.append(limits.wait_seconds(LIMITS[kind], times, now))
    return max(0, *waits)


def count_try(commit: Commit, rows: Mapping[Key, Row], whos: Whos, now: int) -> None:
    """Add one more try to a commit; each row is as it was read."""
    for kind, (key, *_) in keys(whos).items():
        times, expires_at = _times(rows.get(key)), (now + LIMIT_KEPT) // SECOND
        row = LimitRow(key[1], key[2], times=limits.counted(LIMITS[kind], times, now), expires_at=expires_at)
        commit.put(row, LimitRow.times == times if key in rows else LimitRow.pk.does_not_exist())


def _times(row: Row | None) -> list[int]:
    return list(row.times) if isinstance(row, LimitRow) else []
