"""Charges' journals, with the money that they hold and move. The rules are in `billfold/charges/__init__.py`.

pk     sk             what
chg_…  #              the head: state, amount; due while it is settling; the day that it is compared in
chg_…  00000001, …    the changes
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from pynamodb.attributes import UnicodeAttribute

from billfold import charges, ledger
from billfold.cards import card_rows
from billfold.changes import kinds
from billfold.charges import Charge, Line, charge_reviews, comparisons
from billfold.charges.charge_changes import ChargeChange, Started
from billfold.clock import SECOND
from billfold.ledger import Transfer, ledger_rows
from billfold.tables import journals
from billfold.tables.commits import Commit
from billfold.tables.rows import DUE_SHARDS, Integer, Wanted, as_stored, existence, fetch, indexed, several, table


class HeadRow(journals.HeadRow):
    class Meta:
        table_name = table("charges")

    amount = Integer()
    currency = UnicodeAttribute()
    purpose = UnicodeAttribute()
    bank = UnicodeAttribute()
    started_at = Integer()
    reference = UnicodeAttribute(default="")
    token = UnicodeAttribute(null=True)
    day_shard = UnicodeAttribute()


class ChangeRow(journals.ChangeRow):
    """`purpose`, `amount`, `currency`, `card` and `about` tell followers of the stream what it is about."""

    class Meta:
        table_name = table("charges")

    purpose = UnicodeAttribute()
    amount = Integer()
    currency = UnicodeAttribute()
    card = UnicodeAttribute()
    about = UnicodeAttribute(null=True)


def _head(charge: Charge) -> dict[str, Any]:
    return {
        "amount": charge.amount,
        "currency": charge.currency,
        "purpose": charge.purpose,
        "bank": charge.bank,
        "started_at": charge.started_at,
        "reference": charge.reference,
        "token": charge.token or None if charge.state == "settling" else None,
        "day_shard": _day(charge.started_at, sum(charge.charge_id.encode()) % DUE_SHARDS),
    }


def _told(_before: Charge | None, charge: Charge, _change: ChargeChange) -> dict[str, Any]:
    return {
        "purpose": charge.purpose,
        "amount": charge.amount,
        "currency": charge.currency,
        "card": charge.card,
        "about": charge.about or None,
    }


JOURNALS = journals.Journals(
    "charges",
    kinds(ChargeChange),
    HeadRow,
    ChangeRow,
    id_of=lambda charge: charge.charge_id,
    new=charges.new,
    after=charges.after,
    head_columns=_head,
    change_columns=_told,
    head_alone=("token",),
)
load = JOURNALS.load


def started(charge_id: str) -> Wanted[bool]:
    """Whether there is a charge of this name."""
    return existence(JOURNALS.head_key(charge_id))


def start(commit: Commit, charge_id: str, started: Started) -> Charge:
    """Add to a commit that a bank is to be asked: the intent, and of a charge the hold, while its card is active (CB-10)."""
    charge = JOURNALS.add_new(commit, charge_id, started)
    if charge.purpose != "refund":
        ledger_rows.place_hold(commit, _hold(charge))
        card_rows.count_charge(commit, charge.card, 1)
    return charge


def resolve(commit: Commit, before: Charge, change: ChargeChange, transfer: Transfer | None, now: int) -> Charge:
    """Add the bank's word to a commit: the charge's change, and its hold posted by the transfer, or voided without one."""
    charge = JOURNALS.add_change(commit, before, change)
    if charge.purpose == "refund":
        if transfer:
            ledger_rows.add_transfer(commit, transfer)
        return charge
    held = _hold(before)
    if transfer:
        ledger_rows.post_held(commit, [(held, ledger.post_hold(held, before.amount, now))], transfer, now)
    else:
        ledger_rows.resolve_hold(commit, held, ledger.void_hold(held), now)
    card_rows.count_charge(commit, charge.card, -1)
    return charge


def review(commit: Commit, before: Charge, change: ChargeChange, transfer: Transfer) -> Charge:
    """Add to a commit what the bank said of a settled charge later, and the transfer that books it."""
    charge = JOURNALS.add_change(commit, before, change)
    ledger_rows.add_transfer(commit, transfer)
    return charge


def _hold(charge: Charge) -> ledger.Hold:
    """The money that waits for the bank's word: for as long as it takes, so that no sweep gives back what may be charged."""
    about, at = charge.charge_id, charge.started_at
    account = charge_reviews.account(charge)
    return ledger.hold(charge.hold_id, account, charge.amount, expires_at=None, now=at, about=about)


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
