"""Bills' journals: of each one head and its changes. The rules are in `billfold/bills/__init__.py`.

pk     sk             what
bil_…  #              the head: what conditions and indexes need (state, revision, period, deadline, total)
bil_…  00000001, …    the changes
"""

from typing import Any

from pynamodb.attributes import BooleanAttribute, UnicodeAttribute

from billfold import bills
from billfold.bills import Bill, Summary, bill_sellers
from billfold.bills.bill_changes import BillChange, ItemsAdded
from billfold.changes import kinds
from billfold.money import Money
from billfold.tables import journals
from billfold.tables.commits import Commit
from billfold.tables.rows import Integer, Json, table


class HeadRow(journals.HeadRow):
    class Meta:
        table_name = table("bills")

    device = UnicodeAttribute()
    currency = UnicodeAttribute()
    total = Integer()
    opened_at = Integer()
    expires_at = Integer()
    late_until = Integer()


class ChangeRow(journals.ChangeRow):
    """What the change made of the bill, for followers of the stream: `user`, `state` and `total` for its owner, `merchants` the
    state for each seller concerned (in older rows only who they are), `asks` whether there is a new list to verify."""

    class Meta:
        table_name = table("bills")

    currency = UnicodeAttribute()
    total = Integer()
    merchants = Json(null=True)
    asks = BooleanAttribute(null=True)


def _head(bill: Bill) -> dict[str, Any]:
    return {
        "device": bill.device,
        "currency": bill.currency,
        "total": bill.total.amount,
        "opened_at": bill.opened_at,
        "expires_at": bill.expires_at,
        "late_until": bill.late_until,
    }


def _told(before: Bill | None, bill: Bill, change: BillChange) -> dict[str, Any]:
    return {
        "currency": bill.currency,
        "total": bill.total.amount,
        "merchants": bill_sellers.concerned(bill, change) or None,
        "asks": bills.asks_anew(before, bill) or None,
    }


JOURNALS = journals.Journals(
    "bills",
    kinds(BillChange),
    HeadRow,
    ChangeRow,
    id_of=lambda bill: bill.bill_id,
    new=bills.new,
    after=bills.after,
    head_columns=_head,
    change_columns=_told,
)
load, put_opened, check_as_read = JOURNALS.load, JOURNALS.put_new, JOURNALS.check_as_read


def put_change(commit: Commit, before: Bill, change: BillChange) -> Bill:
    """Add a bill's next change to a commit, on the condition that the bill is as it was read.

    For taps the condition says once more that the bill still takes them at this moment (VB-05, VB-08).
    """
    takes_them = None
    if isinstance(change, ItemsAdded):
        takes_them = HeadRow.late_until >= change.at if change.late else HeadRow.expires_at > change.at
    return JOURNALS.put_change(commit, before, change, condition=takes_them)


def summaries(owner: str, *, before: str, limit: int) -> tuple[list[Summary], str]:
    """A user's bills, newest first, and the position after the last one (empty at the end)."""
    heads, position = JOURNALS.owned(owner, before=before, limit=limit)
    return [_summary(row) for row in heads], position


def _summary(row: HeadRow) -> Summary:
    return Summary(row.pk, row.device, row.state, Money(row.total, row.currency), row.opened_at, row.expires_at)
