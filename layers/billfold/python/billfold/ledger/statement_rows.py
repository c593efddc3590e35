"""Each account's statement, a log (`log_rows`): pk the account. A line is what one transfer did to it (LG-09)."""

from collections.abc import Iterable
from typing import Any, cast

from pynamodb.attributes import UnicodeAttribute

from billfold.ledger import Account, Entry, Kind, Transfer
from billfold.tables import log_rows
from billfold.tables.rows import Integer, Row, table


class EntryRow(Row):
    class Meta:
        table_name = table("statements")

    transfer = UnicodeAttribute()
    at = Integer()
    amount = Integer()
    kind = UnicodeAttribute()
    reason = UnicodeAttribute()
    about = UnicodeAttribute(null=True)


class ToldRow(log_rows.ToldRow):
    class Meta:
        table_name = table("statements")


def append(account: str, transfers: Iterable[Transfer]) -> int:
    """Add to an account's statement the lines of transfers that touch it, each once for ever, and say how many were new.

    Raises Stale when another came between.
    """
    rows = {
        transfer.transfer_id: EntryRow(
            account,
            transfer=transfer.transfer_id,
            at=transfer.at,
            amount=leg.amount,
            kind=transfer.kind,
            reason=transfer.reason,
            about=transfer.about or None,
        )
        for transfer in transfers
        for leg in transfer.legs
        if leg.account.name == account
    }
    return log_rows.append(ToldRow, rows)


def page(account: Account, *, after: str, newest_first: bool, limit: int) -> list[Entry]:
    """A page of an account's statement beyond the number `after` (empty for the start)."""
    raw = log_rows.page(EntryRow, account.name, after=after, newest_first=newest_first, limit=limit)
    return [_to_entry(item) for item in raw]


def _to_entry(item: dict[str, Any]) -> Entry:
    row = EntryRow.from_raw_data(item)
    return Entry(row.sk, row.transfer, row.at, row.amount, cast(Kind, row.kind), row.reason, row.about or "")
