"""A card's journal. The rules are in `billfold/cards/__init__.py`; who holds which card: `card_holder_rows`.

pk             sk             what
crd_…          #              the head: state, owner, bank and token; the task token while the state machine waits; due while open
crd_…          00000001, …    the changes
"""

from dataclasses import replace
from typing import Any

from pynamodb.attributes import UnicodeAttribute

from billfold import cards, events
from billfold.cards import Card, card_changes, card_texts
from billfold.cards.card_changes import Bound, CardChange
from billfold.events import Event
from billfold.tables import journals
from billfold.tables.commits import Commit
from billfold.tables.journals import Journal
from billfold.tables.rows import Integer, Key, Row, Wanted, as_stored, due_shard, fetch, single, table

KINDS: dict[str, type[CardChange]] = {
    "bound": card_changes.Bound,
    "expiry_updated": card_changes.ExpiryUpdated,
    "checked": card_changes.Checked,
    "asked": card_changes.Asked,
    "answered": card_changes.Answered,
    "challenge_sent": card_changes.ChallengeSent,
    "code_tried": card_changes.CodeTried,
    "code_refused": card_changes.CodeRefused,
    "activated": card_changes.Activated,
    "ended": card_changes.Ended,
    "removed": card_changes.Removed,
    "approved_late": card_changes.ApprovedLate,
    "withdrawn": card_changes.Withdrawn,
    "resealed": card_changes.Resealed,
}


class HeadRow(Row):
    class Meta:
        table_name = table("cards")

    SORT = journals.HEAD
    owner = UnicodeAttribute()
    state = UnicodeAttribute()
    revision = Integer()
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
    due_shard = UnicodeAttribute(null=True)
    due_at = Integer(null=True)


class ChangeRow(journals.ChangeRow):
    """`verdict` and `last4` tell followers of the stream what the change made of the card."""

    class Meta:
        table_name = table("cards")

    verdict = UnicodeAttribute(null=True)
    brand = UnicodeAttribute()
    last4 = UnicodeAttribute()


def load(card_id: str) -> Journal[Card, CardChange]:
    """A card and its changes, by one Query; NotFound. Its token is on the head alone."""
    return journals.load(ChangeRow, card_id, KINDS, cards.rebuild)


def head_key(card_id: str) -> Key:
    return (HeadRow, card_id, HeadRow.SORT)


def head(card_id: str) -> Wanted[HeadRow | None]:
    """A card's head; None: unknown."""
    return single(HeadRow, card_id, HeadRow.SORT, as_stored)


def to_card(row: HeadRow) -> Card:
    """What a head alone tells of a card: enough to list it and to pay with it."""
    return Card(
        row.pk,
        row.owner,
        "",
        row.brand,
        row.last4,
        row.expiry_year,
        row.expiry_month,
        row.bank,
        row.fingerprint,
        (),
        False,
        "",
        row.bound_at,
        state=row.state,
        revision=row.revision,
        token=row.token or "",
    )


def put_bound(commit: Commit, card_id: str, bound: Bound) -> Card:
    """Add a new card to a commit; its change is the idempotency record of its binding."""
    card = cards.rebuild(card_id, [bound])
    commit.record(
        HeadRow(
            card_id,
            HeadRow.SORT,
            owner=card.owner,
            state=card.state,
            revision=card.revision,
            brand=card.brand,
            last4=card.last4,
            expiry_year=card.expiry_year,
            expiry_month=card.expiry_month,
            bank=card.bank,
            bound_at=card.bound_at,
            fingerprint=card.fingerprint,
            due_shard=due_shard("cards", card_id),
            due_at=card.due_at,
        )
    )
    commit.put_new(_change_row(card, bound))
    return card


def put_change(commit: Commit, before: Card, change: CardChange, *, task_token: str | None = None) -> Card:
    """Add a card's next change to a commit, on the condition that the card is as it was read.

    A removal also needs that no charge is under way (CB-20). A task token is kept beside it, before anyone is contacted.
    """
    card = cards.after(before, change)
    actions = [
        HeadRow.state.set(card.state),
        HeadRow.revision.set(card.revision),
        HeadRow.expiry_year.set(card.expiry_year),
        HeadRow.expiry_month.set(card.expiry_month),
        HeadRow.fingerprint.set(card.fingerprint),
    ]
    if card.state in cards.ENDS:
        # The task token stays: the machine that waits with it is to hear that the card is over.
        actions.append(HeadRow.token.remove())
    elif card.token:
        actions.append(HeadRow.token.set(card.token))
    if card.due_at is None and before.due_at is not None:
        actions += [HeadRow.due_shard.remove(), HeadRow.due_at.remove()]
    if task_token and card.state not in cards.ENDS:
        actions.append(HeadRow.task_token.set(task_token))
    condition = HeadRow.revision == before.revision
    if card.state == "removed" and before.state != "removed":
        condition &= HeadRow.charges == 0
    commit.update(HeadRow(card.card_id, HeadRow.SORT), actions, condition)
    commit.record(_change_row(card, change))
    return card


def check_as_read(commit: Commit, card: Card) -> None:
    """Add to a commit that a card is as it was read."""
    commit.check(head_key(card.card_id), HeadRow.revision == card.revision)


def put_task_token(commit: Commit, card: Card, task_token: str) -> None:
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


def _change_row(card: Card, change: CardChange) -> ChangeRow:
    # A change stays for ever, what a card can be charged by must not: the head alone has it.
    kept = replace(change, token="") if isinstance(change, card_changes.Answered) else change
    return ChangeRow(
        card.card_id,
        journals.position(card.revision),
        **journals.columns(kept, KINDS),
        user=card.owner,
        state=card.state,
        verdict=card.verdict or None,
        brand=card.brand,
        last4=card.last4,
    )


def owned(owner: str, *, before: str, limit: int) -> tuple[list[Card], str]:
    """A user's cards, newest first, and the position after the last one (empty at the end)."""
    heads, position = journals.owned(HeadRow, owner, before=before, limit=limit)
    return [to_card(row) for row in heads if isinstance(row, HeadRow)], position


# ------------------------------------------------------------------------------------------------------ what follows

# An answer that the machine got by asking it knows already; every other resumes it.
RESUMING = ("answered", "code_refused", "ended")


def messages(image: dict[str, Any]) -> list[tuple[str, str]]:
    """The queues that a row inserted into this table has something for, each with the card's id (and events apart)."""
    row = journals.inserted(ChangeRow, image, KINDS)
    if row is None:
        return []
    found = []
    if row.kind == "bound":
        found.append(("authentications", row.pk))
    if row.kind in RESUMING and row.facts.get("by") != "asking":
        found.append(("answers", row.pk))
    # Over before the bank gave its word: it may hold an approval that nobody has heard of. So may it of a card that we declined
    # for its code, of which a last try was never judged.
    unheard = row.kind == "ended" and row.state in ("expired", "cancelled", "declined") and row.verdict != "declined"
    approved = row.state in cards.ENDS and row.verdict == "approved" and row.kind != "withdrawn"
    if row.kind == "approved_late" or approved or unheard:
        found.append(("withdrawals", row.pk))
    return found


def events_of(image: dict[str, Any]) -> list[Event]:
    """The event that a row inserted into this table means for the card's owner; none for what only banks and we see."""
    row = journals.inserted(ChangeRow, image, KINDS)
    if row is None:
        return []
    way = row.facts.get("way", "")
    kind = events.card_kind(row.kind, way or row.state)
    if not kind:
        return []
    text = card_texts.text(row.state, row.brand, row.last4, row.facts.get("reason", ""), way)
    told = {"revision": int(row.sk), "state": row.state, "brand": row.brand, "last4": row.last4}
    facts = told | ({"text": text} if text else {})
    return [Event(f"{row.pk}/{row.sk}", row.user, kind, row.pk, row.facts["at"], facts)]
