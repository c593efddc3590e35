"""Cards' journals. The rules are in `billfold/cards/__init__.py`; who holds which card: `card_holder_rows`.

pk             sk             what
crd_…          #              the head: state, owner, bank and token; the task token while the state machine waits; due while open
crd_…          00000001, …    the changes
"""

from typing import Any

from pynamodb.attributes import UnicodeAttribute
from pynamodb.expressions.condition import Condition

from billfold import cards
from billfold.cards import Card, CardSummary
from billfold.cards.card_changes import CardChange, ChallengeSent, Removed
from billfold.changes import kinds
from billfold.tables import journals
from billfold.tables.commits import Commit
from billfold.tables.rows import Integer, Wanted, fetch, single, table


class HeadRow(journals.HeadRow):
    class Meta:
        table_name = table("cards")

    brand = UnicodeAttribute()
    last4 = UnicodeAttribute()
    expiry_year = Integer()
    expiry_month = Integer()
    bank = UnicodeAttribute()
    token = UnicodeAttribute(null=True)
    bound_at = Integer()
    fingerprint = UnicodeAttribute()
    charges = Integer(default=0)
    task_token = UnicodeAttribute(null=True)


class ChangeRow(journals.ChangeRow):
    """`verdict` and `last4` tell followers of the stream what the change made of the card."""

    class Meta:
        table_name = table("cards")

    verdict = UnicodeAttribute(null=True)
    brand = UnicodeAttribute()
    last4 = UnicodeAttribute()


NO_CHARGES = HeadRow.charges == 0


def _head(card: Card) -> dict[str, Any]:
    return {
        "brand": card.brand,
        "last4": card.last4,
        "expiry_year": card.expiry_year,
        "expiry_month": card.expiry_month,
        "bank": card.bank,
        "token": card.token or None if card.state not in cards.ENDS else None,
        "bound_at": card.bound_at,
        "fingerprint": card.fingerprint,
    }


def _told(_before: Card | None, card: Card, _change: CardChange) -> dict[str, Any]:
    return {"verdict": card.verdict or None, "brand": card.brand, "last4": card.last4}


def _charges_nothing(change: CardChange) -> Condition | None:
    """Of a removal, that no charge of the card is under way (CB-20)."""
    return NO_CHARGES if isinstance(change, Removed) else None


JOURNALS = journals.Journals(
    "cards",
    kinds(CardChange),
    HeadRow,
    ChangeRow,
    id_of=lambda card: card.card_id,
    new=cards.new,
    after=cards.after,
    head_columns=_head,
    change_columns=_told,
    condition=_charges_nothing,
    head_alone=("token",),
)
load, head, check_as_read = JOURNALS.load, JOURNALS.head, JOURNALS.check_as_read
add_bound, add_change = JOURNALS.add_new, JOURNALS.add_change


def summary(card_id: str) -> Wanted[CardSummary | None]:
    """What its head tells of a card; None: unknown."""
    return single(HeadRow, card_id, HeadRow.SORT, _summary)


def _summary(row: HeadRow) -> CardSummary:
    return CardSummary(
        card_id=row.pk,
        owner=row.owner,
        brand=row.brand,
        last4=row.last4,
        expiry_year=row.expiry_year,
        expiry_month=row.expiry_month,
        bank=row.bank,
        bound_at=row.bound_at,
        state=row.state,
        token=row.token or "",
    )


def add_challenge(commit: Commit, before: Card, sent: ChallengeSent, task_token: str) -> Card:
    """Add to a commit that a challenge is sent, and the token with which the state machine waits: before anyone is contacted.

    The token stays when the card ends, because the machine that waits with it is to hear so.
    """
    return JOURNALS.add_change(commit, before, sent, HeadRow.task_token.set(task_token))


def add_task_token(commit: Commit, card: Card, task_token: str) -> None:
    """Add to a commit that the state machine waits with this token for a card that is as it was read."""
    row = HeadRow(card.card_id, HeadRow.SORT)
    commit.update(row, [HeadRow.task_token.set(task_token)], HeadRow.revision == card.revision)


def waiting(card_id: str) -> str:
    """The token with which the state machine waits for a card; empty when it does not."""
    row = fetch(head(card_id))
    return (row.task_token or "") if row else ""


def count_charge(commit: Commit, card_id: str, number: int) -> None:
    """Add to a commit that a charge of this card begins (1), which needs it active (CB-10), or is over (-1)."""
    condition = HeadRow.state == "active" if number > 0 else HeadRow.charges >= -number
    commit.update(HeadRow(card_id, HeadRow.SORT), [HeadRow.charges.add(number)], condition)


def summaries(owner: str, *, before: str, limit: int) -> tuple[list[CardSummary], str]:
    """A user's cards, newest first, and the position after the last one (empty at the end)."""
    heads, position = JOURNALS.owned(owner, before=before, limit=limit)
    return [_summary(row) for row in heads], position
