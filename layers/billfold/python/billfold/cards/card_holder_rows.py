"""Who holds which card: the row of a number's fingerprint. The rule is in `billfold/cards/__init__.py` (CB-16).

pk             sk             what
fpr_…          holders        who holds the card with this fingerprint, three users at most
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from pynamodb.attributes import MapAttribute
from pynamodb.expressions.condition import size

from billfold import cards
from billfold.cards import Card
from billfold.tables.commits import Commit
from billfold.tables.rows import Key, Row, Wanted, table


class HoldersRow(Row):
    """`cards`: each holder's card."""

    class Meta:
        table_name = table("cards")

    SORT = "holders"
    cards: MapAttribute[str, Any] = MapAttribute()  # type: ignore[no-untyped-call]


@dataclass(frozen=True, slots=True)
class Holders:
    """The holders of a number as they were read: under each of its fingerprints, the newest first (each generation of keys makes
    another), each holder's card; None where no row is."""

    by_fingerprint: dict[str, dict[str, str] | None]

    @property
    def cards(self) -> dict[str, str]:
        """Each holder's card, whichever fingerprint it is held under."""
        return {user: card for held in self.by_fingerprint.values() for user, card in (held or {}).items()}


def holders(fingerprints: Iterable[str]) -> Wanted[Holders]:
    """Who holds the card with this number, by its fingerprints, the newest first."""
    keys = {fingerprint: _key(fingerprint) for fingerprint in fingerprints}
    return Wanted((*keys.values(),), lambda rows: Holders({each: _held(rows.get(key)) for each, key in keys.items()}))


def _key(fingerprint: str) -> Key:
    return (HoldersRow, f"fpr_{fingerprint}", HoldersRow.SORT)


def _held(row: Row | None) -> dict[str, str] | None:
    return dict(row.cards.as_dict()) if isinstance(row, HoldersRow) else None  # type: ignore[no-untyped-call]


def add_holder(commit: Commit, before: Holders, user: str, card_id: str) -> None:
    """Add to a commit that a user holds this card, who did not, nor did three others (CB-16), under the newest fingerprint.

    Who holds it under an older fingerprint counts too, and nobody has come or gone there since the holders were read.
    """
    newest, *older = before.by_fingerprint.items()
    elsewhere = 0
    for fingerprint, held in older:
        as_read = HoldersRow.pk.does_not_exist() if held is None else HoldersRow.cards == held
        commit.check(_key(fingerprint), as_read)
        elsewhere += len(held or {})
    _, pk, sk = _key(newest[0])
    if newest[1] is None:
        commit.put_new(HoldersRow(pk, sk, cards={user: card_id}))
        return
    many = size(HoldersRow.cards)  # type: ignore[no-untyped-call]
    room = HoldersRow.cards[user].does_not_exist() & (many < cards.MAX_HOLDERS - elsewhere)
    commit.update(HoldersRow(pk, sk), [HoldersRow.cards[user].set(card_id)], room)


def remove_holder(commit: Commit, card: Card) -> None:
    """Add to a commit that the owner holds this card no more."""
    _, pk, sk = _key(card.fingerprint)
    held = HoldersRow.cards[card.owner]
    commit.update(HoldersRow(pk, sk), [held.remove()], held == card.card_id)
