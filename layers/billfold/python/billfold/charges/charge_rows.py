"""A charge's journal, with the money that it holds and moves. The rules are in `billfold/charges/__init__.py`.

pk     sk             what
chg_…  #              the head: state, amount; due while it is settling; the day that it is compared in
chg_…  00000001, …    the changes
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from pynamodb.attributes import UnicodeAttribute

from billfold import charges, events, ledger
from billfold.cards import card_rows
from billfold.charges import Charge, Line, charge_changes, charge_reviews, comparisons
from billfold.charges.charge_changes import ChargeChange, Started
from billfold.clock import SECOND
from billfold.events import Event
from billfold.ledger import Transfer, ledger_rows
from billfold.tables import journals
from billfold.tables.commits import Commit
from billfold.tables.journals import Journal
from billfold.tables.rows import (
    DUE_SHARDS,
    Integer,
    Key,
    Row,
    Wanted,
    as_stored,
    due_shard,
    existence,
    fetch,
    indexed,
    several,
    table,
)

KINDS: dict[str, type[ChargeChange]] = {
    "started": charge_changes.Started,
    "settled": charge_changes.Settled,
    "declined": charge_changes.Declined,
    "refund_failed": charge_changes.RefundFailed,
    "disputed": charge_changes.Disputed,
    "reinstated": charge_changes.Reinstated,
}


class HeadRow(Row):
    class Meta:
        table_name = table("charges")

    SORT = journals.HEAD
    owner = UnicodeAttribute()
    state = UnicodeAttribute()
    revision = Integer()
    amount = Integer()
    currency = UnicodeAttribute()
    purpose = UnicodeAttribute()
    bank = UnicodeAttribute()
    started_at = Integer()
    reference = UnicodeAttribute(default="")
    token = UnicodeAttribute(null=True)
    day_shard = UnicodeAttribute()
    due_shard = UnicodeAttribute(null=True)
    due_at = Integer(null=True)


class ChangeRow(journals.ChangeRow):
    """`purpose`, `amount`, `currency`, `card` and `about` tell followers of the stream what it is about."""

    class Meta:
        table_name = table("charges")

    purpose = UnicodeAttribute()
    amount = Integer()
    currency = UnicodeAttribute()
    card = UnicodeAttribute()
    about = UnicodeAttribute(null=True)


def load(charge_id: str) -> Journal[Charge, ChargeChange]:
    """A charge and its changes, by one Query; NotFound. Its token is on the head, while it is settling."""
    journal = journals.load(ChangeRow, charge_id, KINDS, charges.rebuild)
    token = journal.head.get("token", {}).get("S", journal.present.token)
    return replace(journal, present=replace(journal.present, token=token))


def head_key(charge_id: str) -> Key:
    return (HeadRow, charge_id, HeadRow.SORT)


def started(charge_id: str) -> Wanted[bool]:
    """Whether there is a charge of this name."""
    return existence(head_key(charge_id))


def start(commit: Commit, charge_id: str, started: Started) -> Charge:
    """Add to a commit that a bank is to be asked: the intent, and of a charge the hold, while its card is active (CB-10)."""
    charge = charges.rebuild(charge_id, [started])
    commit.record(_head(charge))
    commit.put_new(_change_row(charge, started))
    if charge.purpose != "refund":
        ledger_rows.place_hold(commit, _hold(charge))
        card_rows.count_charge(commit, charge.card, 1)
    return charge


def resolve(commit: Commit, before: Charge, change: ChargeChange, transfer: Transfer | None, now: int) -> Charge:
    """Add the bank's word to a commit: the charge's change, and its hold posted by the transfer, or voided without one."""
    charge = charges.after(before, change)
    actions = [HeadRow.state.set(charge.state), HeadRow.revision.set(charge.revision)]
    actions += [HeadRow.due_shard.remove(), HeadRow.due_at.remove(), HeadRow.token.remove()]
    actions.append(HeadRow.reference.set(charge.reference))
    commit.update(HeadRow(charge.charge_id, HeadRow.SORT), actions, HeadRow.revision == before.revision)
    commit.record(_change_row(charge, change))
    if charge.purpose == "refund":
        if transfer:
            ledger_rows.post(commit, transfer)
        return charge
    held = _hold(before)
    if transfer:
        ledger_rows.post_held(commit, [(held, ledger.post(held, before.amount, now))], transfer, now)
    else:
        ledger_rows.resolve_hold(commit, held, ledger.void(held), now)
    card_rows.count_charge(commit, charge.card, -1)
    return charge


def review(commit: Commit, before: Charge, change: ChargeChange, transfer: Transfer) -> Charge:
    """Add to a commit what the bank said of a settled charge later, and the transfer that books it."""
    charge = charges.after(before, change)
    actions = [HeadRow.state.set(charge.state), HeadRow.revision.set(charge.revision)]
    commit.update(HeadRow(charge.charge_id, HeadRow.SORT), actions, HeadRow.revision == before.revision)
    commit.record(_change_row(charge, change))
    ledger_rows.post(commit, transfer)
    return charge


def _hold(charge: Charge) -> ledger.Hold:
    """The money that waits for the bank's word: for as long as it takes, so that no sweep gives back what may be charged."""
    about, at = charge.charge_id, charge.started_at
    return ledger.hold(
        charge.hold_id, charge_reviews.account(charge), charge.amount, expires_at=None, now=at, about=about
    )


def _head(charge: Charge) -> HeadRow:
    return HeadRow(
        charge.charge_id,
        HeadRow.SORT,
        owner=charge.owner,
        state=charge.state,
        revision=charge.revision,
        amount=charge.amount,
        currency=charge.currency,
        purpose=charge.purpose,
        bank=charge.bank,
        started_at=charge.started_at,
        token=charge.token or None,
        day_shard=_day(charge.started_at, sum(charge.charge_id.encode()) % DUE_SHARDS),
        due_shard=due_shard("charges", charge.charge_id),
        due_at=charge.due_at,
    )


def _change_row(charge: Charge, change: ChargeChange) -> ChangeRow:
    # A change stays for ever, what a card can be charged by must not: the head alone has it.
    kept = replace(change, token="") if isinstance(change, Started) else change
    return ChangeRow(
        charge.charge_id,
        journals.position(charge.revision),
        **journals.columns(kept, KINDS),
        user=charge.owner,
        state=charge.state,
        purpose=charge.purpose,
        amount=charge.amount,
        currency=charge.currency,
        card=charge.card,
        about=charge.about or None,
    )


# ------------------------------------------------------------------------------------------------------ what follows


def messages(image: dict[str, Any]) -> list[tuple[str, str]]:
    """The queue that asks the bank, for a charge that has just started."""
    row = journals.inserted(ChangeRow, image, KINDS)
    return [("charges", row.pk)] if row and row.kind == "started" else []


def events_of(image: dict[str, Any]) -> list[Event]:
    """The event that a row inserted into this table means for the card's owner; of a bill, the bill tells."""
    row = journals.inserted(ChangeRow, image, KINDS)
    if row is None:
        return []
    kind = events.charge_kind(row.kind, row.purpose, row.state)
    if not kind:
        return []
    facts = {"state": row.state, "card": row.card, "amount": {"amount": row.amount, "currency": row.currency}}
    # Nobody can read a refund's charge: it is told of as its bill.
    about = row.about or row.pk
    return [Event(f"{row.pk}/{row.sk}", row.user, kind, about, row.facts["at"], facts)]


# ------------------------------------------------------------------------------------------------------ reconciliation


def _day(instant: int, shard: int) -> str:
    """A shard of a UTC day: eight, so that a day's charges heat no partition of the index."""
    return f"{datetime.fromtimestamp(instant // SECOND, UTC):%Y-%m-%d}#{shard}"


def begun_on(day: int, part: int | None = None) -> Iterator[str]:
    """The charges that began on the UTC day of this instant, at any bank, or those of one part of it, by the index of days."""
    shards = range(DUE_SHARDS) if part is None else [part % DUE_SHARDS]
    found = (indexed(HeadRow, "by_day", "day_shard = :day", {":day": {"S": _day(day, shard)}}) for shard in shards)
    ours = (charge_id for charge_ids in found for charge_id in charge_ids)
    return (charge_id for charge_id in ours if part is None or comparisons.part_of(charge_id) == part)


def lines_of(bank: str, charge_ids: Iterable[str]) -> Iterator[Line]:
    """Our list of these, as far as they are charges at this bank."""
    ours = (charge_id for charge_id in charge_ids if charge_id.startswith("chg_"))
    while some := [(charge_id, HeadRow.SORT) for charge_id in islice(ours, 100)]:
        for row in fetch(several(HeadRow, some, as_stored)):
            if row.bank == bank:
                kind = "refund" if row.purpose == "refund" else "charge"
                # A disputed charge was made, and its bank lists it; a refund that failed it does not.
                state = "settled" if row.state == "disputed" else row.state
                yield Line(row.pk, row.amount, row.currency, state, row.started_at, kind, row.reference)
