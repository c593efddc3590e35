"""A bill's journal: one head and its bill_changes. The rules are in `billfold/bills/__init__.py`.

pk     sk             what
bil_…  #              the head: what conditions and indexes need (state, revision, period, deadline, total)
bil_…  00000001, …    the changes
"""

from typing import Any

from pynamodb.attributes import BooleanAttribute, UnicodeAttribute

from billfold import bills, events
from billfold.bills import Bill, Summary, bill_changes, bill_sellers
from billfold.bills.bill_changes import BillChange, ItemsAdded, Opened
from billfold.events import Event
from billfold.money import Money
from billfold.tables import journals
from billfold.tables.commits import Commit
from billfold.tables.journals import Journal
from billfold.tables.rows import Integer, Json, Key, Row, due_shard, table

KINDS: dict[str, type[BillChange]] = {
    "opened": bill_changes.Opened,
    "items_added": bill_changes.ItemsAdded,
    "item_voided": bill_changes.ItemVoided,
    "item_disputed": bill_changes.ItemDisputed,
    "closed": bill_changes.Closed,
    "reminded": bill_changes.Reminded,
    "unpaid": bill_changes.Unpaid,
    "settling": bill_changes.Settling,
    "settlement_failed": bill_changes.SettlementFailed,
    "settled": bill_changes.Settled,
    "refunded": bill_changes.Refunded,
}


class HeadRow(Row):
    class Meta:
        table_name = table("bills")

    SORT = journals.HEAD
    owner = UnicodeAttribute()
    device = UnicodeAttribute()
    state = UnicodeAttribute()
    revision = Integer()
    currency = UnicodeAttribute()
    total = Integer()
    opened_at = Integer()
    expires_at = Integer()
    late_until = Integer()
    due_shard = UnicodeAttribute(null=True)
    due_at = Integer(null=True)


class ChangeRow(journals.ChangeRow):
    """What the change made of the bill, for followers of the stream: `user`, `state` and `total` for its owner, `merchants` the
    state for each seller concerned (in older rows only who they are), `asks` whether there is a new list to verify."""

    class Meta:
        table_name = table("bills")

    currency = UnicodeAttribute()
    total = Integer()
    merchants = Json(null=True)
    asks = BooleanAttribute(null=True)


def load(bill_id: str) -> Journal[Bill, BillChange]:
    """A bill and its changes, by one Query; NotFound."""
    return journals.load(ChangeRow, bill_id, KINDS, bills.rebuild)


def put_opened(commit: Commit, bill_id: str, opened: Opened) -> Bill:
    """Add a new bill to a commit."""
    bill = bills.rebuild(bill_id, [opened])
    commit.put_new(_head(bill))
    commit.put_new(_change_row(bill, opened, asks=False))
    return bill


def put_change(commit: Commit, before: Bill, change: BillChange) -> Bill:
    """Add a bill's next change to a commit, on the condition that the bill is as it was read.

    For taps the condition says once more that the bill still takes them at this moment (VB-05, VB-08).
    """
    bill = bills.after(before, change)
    head = _head(bill)
    actions = [HeadRow.state.set(head.state), HeadRow.revision.set(head.revision), HeadRow.total.set(head.total)]
    if bill.due_at is None:
        actions += [HeadRow.due_shard.remove(), HeadRow.due_at.remove()]
    elif bill.due_at != before.due_at:
        actions += [HeadRow.due_shard.set(head.due_shard), HeadRow.due_at.set(head.due_at)]
    condition = HeadRow.revision == before.revision
    if isinstance(change, ItemsAdded):
        condition &= HeadRow.late_until >= change.at if change.late else HeadRow.expires_at > change.at
    commit.update(HeadRow(bill.bill_id, HeadRow.SORT), actions, condition)
    commit.record(_change_row(bill, change, asks=bills.asks_anew(before, bill)))
    return bill


def check_as_read(commit: Commit, bill: Bill) -> None:
    """Add to a commit that a bill is as it was read."""
    commit.check(head_key(bill.bill_id), HeadRow.revision == bill.revision)


def _head(bill: Bill) -> HeadRow:
    return HeadRow(
        bill.bill_id,
        HeadRow.SORT,
        owner=bill.owner,
        device=bill.device,
        state=bill.state,
        revision=bill.revision,
        currency=bill.currency,
        total=bill.total.amount,
        opened_at=bill.opened_at,
        expires_at=bill.expires_at,
        late_until=bill.late_until,
        due_shard=due_shard("bills", bill.bill_id) if bill.due_at is not None else None,
        due_at=bill.due_at,
    )


def _change_row(bill: Bill, change: BillChange, *, asks: bool) -> ChangeRow:
    return ChangeRow(
        bill.bill_id,
        journals.position(bill.revision),
        **journals.columns(change, KINDS),
        user=bill.owner,
        state=bill.state,
        currency=bill.currency,
        total=bill.total.amount,
        merchants=bill_sellers.concerned(bill, change) or None,
        asks=asks or None,
    )


def summaries(owner: str, *, before: str, limit: int) -> tuple[list[Summary], str]:
    """A user's bills, newest first, and the position after the last one (empty at the end)."""
    heads, position = journals.owned(HeadRow, owner, before=before, limit=limit)
    return [_summary(row) for row in heads if isinstance(row, HeadRow)], position


def _summary(row: HeadRow) -> Summary:
    return Summary(row.pk, row.device, row.state, Money(row.total, row.currency), row.opened_at, row.expires_at)


def head_key(bill_id: str) -> Key:
    return (HeadRow, bill_id, HeadRow.SORT)


def events_of(image: dict[str, Any]) -> list[Event]:
    """The events that a row inserted into this table means: its owner's, and one for each merchant concerned."""
    row = journals.inserted(ChangeRow, image, KINDS)
    if row is None:
        return []
    made: list[Event] = []
    change, at, total = f"{row.pk}/{row.sk}", row.facts["at"], {"amount": row.total, "currency": row.currency}
    for kind in events.owners_kinds(row.kind, row.state, asks=bool(row.asks)):
        facts = {"revision": int(row.sk), "state": row.state, "total": total}
        made.append(Event(f"{change}/asked" if made else change, row.user, kind, row.pk, at, facts))
    sellers = row.merchants if isinstance(row.merchants, dict) else dict.fromkeys(row.merchants or [])
    for merchant, state in sellers.items():
        facts = {"state": state} if state else {}
        made.append(Event(change, merchant, events.sellers_kind(row.kind), row.pk, at, facts))
    return made
