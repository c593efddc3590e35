"""Bills' journals: of each one head and its changes. The rules are in `billfold/bills/__init__.py`.

pk     sk             what
bil_…  #              the head: what conditions and indexes need (state, revision, period, deadline, total)
bil_…  00000001, …    the changes
"""

from typing import Any

from pynamodb.attributes import BooleanAttribute, UnicodeAttribute
from pynamodb.expressions.condition import Condition

from billfold import bills
from billfold.bills import Bill, Summary, bill_sellers
from billfold.bills.bill_changes import BillChange, ItemsAdded
from billfold.changes import kinds
from billfold.money import Money
from billfold.tables import journals
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


def _takes_it(change: BillChange) -> Condition | None:
    """Of a tap, that the bill still takes it at this moment, which the rule has found already (VB-05, VB-08)."""
    if not isinstance(change, ItemsAdded):
        return None
    return HeadRow.late_until >= change.at if change.late else HeadRow.expires_at > change.at


JOURNALS = journals.Journals(
    "bills",
    kinds(BillChange),
    HeadRow,
    ChangeRow,
    id_of=lambda bill: bill.bill_id,
    new=bills.new,
    after=bills.after,
    head_columns=_head,
    change_columns=bill_sellers.told,
    condition=_takes_it,
)
load, check_as_read = JOURNALS.load, JOURNALS.check_as_read
add_opened, add_change = JOURNALS.add_new, JOURNALS.add_change


def summaries(owner: str, *, before: str, limit: int) -> tuple[list[Summary], str]:
    """A user's bills, newest first, and the position after the last one (empty at the end)."""
    heads, position = JOURNALS.owned(owner, before=before, limit=limit)
    return [_summary(row) for row in heads], position


def _summary(row: HeadRow) -> Summary:
    return Summary(row.pk, row.device, row.state, Money(row.total, row.currency), row.opened_at, row.expires_at)
