"""A bill's rows: one head and its changes, all in the bill's own partition. The rules are in `billfold/bills.py`.

    pk     sk             what
    bil_…  #              the head: what conditions and indexes need (state, revision, period, deadline, total)
    bil_…  00000001, …    the changes, immutable; each is also the idempotency record of the request that made it

Every step writes the head and one change: four write units for a bill of any length. The head's revision must be the one
that was read, so two writers can never both act on the same state; the change's number is the same promise once more.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from typing import Any

import msgspec
from pynamodb.attributes import UnicodeAttribute

from billfold import bills, changes, events
from billfold.bills import Bill, Summary
from billfold.changes import Change, ItemsAdded, Opened
from billfold.errors import NotFound
from billfold.events import Event
from billfold.money import Money
from billfold.tables.rows import Commit, Integer, Json, Key, Row, call, due_shard, pages, read, table

KINDS: dict[str, type[Change]] = {
    "opened": changes.Opened,
    "items_added": changes.ItemsAdded,
    "item_voided": changes.ItemVoided,
    "item_disputed": changes.ItemDisputed,
    "closed": changes.Closed,
    "reminded": changes.Reminded,
    "unpaid": changes.Unpaid,
    "settlement_failed": changes.SettlementFailed,
    "settled": changes.Settled,
    "refunded": changes.Refunded,
}
NAMES = {kind: name for name, kind in KINDS.items()}
OWN_COLUMNS = {"operation", "request"}


class HeadRow(Row):
    class Meta:
        table_name = table("bills")

    SORT = "#"
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


class ChangeRow(Row):
    """`user`, `state`, `total` and `merchants` tell followers of the stream what the change made of the bill."""

    class Meta:
        table_name = table("bills")

    kind = UnicodeAttribute()
    facts = Json()
    operation = UnicodeAttribute(null=True)
    request = UnicodeAttribute(null=True)
    user = UnicodeAttribute()
    state = UnicodeAttribute()
    currency = UnicodeAttribute()
    total = Integer()
    merchants = Json(null=True)


@dataclass(frozen=True, slots=True)
class Journal:
    """A bill as it is, with the changes that made it so."""

    bill: Bill
    changes: tuple[Change, ...]

    def done(self, operation: str) -> Change | None:
        """The change that this operation made, if it already did."""
        return next((change for change in self.changes if change.operation == operation), None)

    def as_of(self, change: Change) -> Bill:
        """The bill as that change left it, for repeating the first answer."""
        return self.at(self.changes.index(change) + 1)

    def at(self, revision: int) -> Bill:
        """The bill as it was after so many changes."""
        return bills.rebuild(self.bill.bill_id, self.changes[:revision])


def load(bill_id: str) -> Journal:
    """A bill and its changes, by one Query; NotFound."""
    made = [_to_change(item) for item in pages(ChangeRow, bill_id) if item["sk"]["S"] != HeadRow.SORT]
    if not made:
        raise NotFound()
    return Journal(bills.rebuild(bill_id, made), tuple(made))


def _to_change(item: dict[str, Any]) -> Change:
    row = ChangeRow.from_raw_data(item)
    facts = {**row.facts, "operation": row.operation or "", "request": row.request or ""}
    return msgspec.convert(facts, type=KINDS[row.kind])


def put_opened(commit: Commit, bill_id: str, opened: Opened) -> Bill:
    """Add a new bill to a commit."""
    bill = bills.rebuild(bill_id, [opened])
    commit.put_new(_head(bill))
    commit.put_new(_change_row(bill, opened))
    return bill


def put_change(commit: Commit, before: Bill, change: Change) -> Bill:
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
    commit.record(_change_row(bill, change))
    return bill


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


def _change_row(bill: Bill, change: Change) -> ChangeRow:
    facts = {field.name: getattr(change, field.name) for field in fields(change) if field.name not in OWN_COLUMNS}
    return ChangeRow(
        bill.bill_id,
        f"{bill.revision:08d}",
        kind=NAMES[type(change)],
        facts=facts,
        operation=change.operation or None,
        request=change.request or None,
        user=bill.owner,
        state=bill.state,
        currency=bill.currency,
        total=bill.total.amount,
        merchants=bills.concerned(bill, change) or None,
    )


def summaries(owner: str, *, before: str, limit: int) -> tuple[list[Summary], str]:
    """A user's bills, newest first, and the position after the last one (empty at the end).

    The index holds keys only, so that nothing but opening a bill writes to it; the heads are read by key.
    """
    arguments: dict[str, Any] = {
        "TableName": HeadRow.table(),
        "IndexName": "by_owner",
        "KeyConditionExpression": "#owner = :owner" + (" AND pk < :before" if before else ""),
        "ExpressionAttributeNames": {"#owner": "owner"},
        "ExpressionAttributeValues": {":owner": {"S": owner}} | ({":before": {"S": before}} if before else {}),
        "ScanIndexForward": False,
        "Limit": limit + 1,
    }
    found = [item["pk"]["S"] for item in call("Query", arguments)["Items"]]
    bill_ids = found[:limit]
    rows = read(head_key(bill_id) for bill_id in bill_ids)
    position = bill_ids[-1] if len(found) > limit else ""
    return list(_summaries(bill_ids, rows)), position


def _summaries(bill_ids: Iterable[str], rows: dict[Key, Row]) -> Iterator[Summary]:
    for bill_id in bill_ids:
        row = rows.get(head_key(bill_id))
        if isinstance(row, HeadRow):
            total = Money(row.total, row.currency)
            yield Summary(row.pk, row.device, row.state, total, row.opened_at, row.expires_at)


def head_key(bill_id: str) -> Key:
    return (HeadRow, bill_id, HeadRow.SORT)


def events_of(image: dict[str, Any]) -> list[Event]:
    """The events that a row inserted into this table means: one for the owner and one for each merchant concerned."""
    if image["sk"]["S"] == HeadRow.SORT:
        return []
    row = ChangeRow.from_raw_data(image)
    kind, total = events.kind_of(row.kind, row.state), {"amount": row.total, "currency": row.currency}
    seen = {"revision": int(row.sk), "state": row.state}
    told = {row.user: seen | {"total": total}} | dict.fromkeys(row.merchants or [], seen)
    change = f"{row.pk}/{row.sk}"
    return [Event(change, audience, kind, row.pk, row.facts["at"], facts) for audience, facts in told.items()]
