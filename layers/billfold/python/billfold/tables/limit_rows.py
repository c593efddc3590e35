"""How often cards were tried, photos begun and wallets topped up, and who must cool down. How limits count: `billfold/limits.py`.

They are rows of the table `cards`:

pk     sk     what
lim_…  limit  when cards were tried by a user, a device, an address or with a fingerprint, and so on; deleted by TTL
cld_…  limit  until when a user must wait before trying a card again
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from billfold import ids, limits
from billfold.clock import HOUR, SECOND
from billfold.limits import Limit
from billfold.tables.commits import Commit
from billfold.tables.rows import Integer, Json, Key, Row, Rows, Wanted, table

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


def add_cooling(commit: Commit, user: str, fingerprint: str, until: int) -> None:
    """Add to a commit that this user must wait until then before trying this card again (CB-09)."""
    _, pk, sk = _cooling(user, fingerprint)
    commit.put(LimitRow(pk, sk, times=[until], expires_at=until // SECOND))


def _cooling(user: str, fingerprint: str) -> Key:
    return (LimitRow, ids.derived("cld", user, fingerprint), LimitRow.SORT)


# By kind of limit whose tries count: under the first, together with what was counted under the others, older names of the same.
Whos = Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Tries:
    """The tries as they were read. `instants`: by kind of limit and the row of each `who`, None where there is no row;
    `cools_until`: when the waiting for a card is over."""

    instants: Mapping[str, Mapping[Key, list[int] | None]]
    cools_until: Sequence[int]

    def wait_seconds(self, now: int) -> int:
        """How long until the next try is allowed; 0: now."""
        waits = [-(-(until - now) // SECOND) for until in self.cools_until]
        for kind, by_row in self.instants.items():
            times = sorted(at for read in by_row.values() for at in read or [])
            waits.append(limits.wait_seconds(LIMITS[kind], times, now))
        return max(0, *waits)


def tries(whos: Whos, cards: Iterable[tuple[str, str]] = ()) -> Wanted[Tries]:
    """The tries of each of these. `cards`: users and fingerprints; a user may have to wait before trying a card again."""
    cooling = [_cooling(user, fingerprint) for user, fingerprint in cards]
    rows_of: dict[str, list[Key]] = {
        kind: [(LimitRow, ids.derived("lim", kind, who), LimitRow.SORT) for who in of] for kind, of in whos.items()
    }

    def found(rows: Rows) -> Tries:
        instants = {kind: {key: _times(rows.get(key)) for key in keys} for kind, keys in rows_of.items()}
        return Tries(instants, [until for key in cooling for until in _times(rows.get(key)) or []])

    return Wanted((*(key for keys in rows_of.values() for key in keys), *cooling), found)


def of_binding(user: str, device: str, fingerprints: Sequence[str], address: str) -> Wanted[Tries]:
    """By whom and with what a card is tried: its number counts under its fingerprints of every generation of keys (CB-17)."""
    whos = {"user": [user], "device": [device], "fingerprint": fingerprints, "address": [limits.network(address)]}
    return tries(whos, [(user, fingerprint) for fingerprint in fingerprints])


def count_try(commit: Commit, before: Tries, now: int) -> None:
    """Add one more try to a commit; each row is as it was read."""
    for kind, by_row in before.instants.items():
        (_, pk, sk), times = next(iter(by_row.items()))
        counted = limits.counted(LIMITS[kind], times or [], now)
        row = LimitRow(pk, sk, times=counted, expires_at=(now + LIMIT_KEPT) // SECOND)
        commit.put(row, LimitRow.pk.does_not_exist() if times is None else LimitRow.times == times)


def _times(row: Row | None) -> list[int] | None:
    return list(row.times) if isinstance(row, LimitRow) else None
