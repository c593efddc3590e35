"""Merchants and their terminals.

pk     sk         what
mer_…  merchant   name and the user who administers it
trm_…  terminal   its merchant and Ed25519 public key; revoked_at once revoked (an index lists a merchant's)
"""

from collections.abc import Iterator
from typing import Any

from pynamodb.attributes import UnicodeAttribute

from billfold.merchants import Merchant, Terminal
from billfold.tables.rows import Commit, Integer, Key, Row, call, read, table


class MerchantRow(Row):
    class Meta:
        table_name = table("merchants")

    SORT = "merchant"
    name = UnicodeAttribute()
    admin = UnicodeAttribute()
    created_at = Integer()


class TerminalRow(Row):
    class Meta:
        table_name = table("merchants")

    SORT = "terminal"
    merchant = UnicodeAttribute()
    name = UnicodeAttribute()
    public_key = UnicodeAttribute()
    revoked_at = Integer(null=True)


def merchant_key(merchant_id: str) -> Key:
    return (MerchantRow, merchant_id, MerchantRow.SORT)


def terminal_key(terminal_id: str) -> Key:
    return (TerminalRow, terminal_id, TerminalRow.SORT)


def merchant(rows: dict[Key, Row], merchant_id: str) -> Merchant | None:
    row = rows.get(merchant_key(merchant_id))
    return Merchant(row.pk, row.name, row.admin) if isinstance(row, MerchantRow) else None


def terminal(rows: dict[Key, Row], terminal_id: str) -> Terminal | None:
    row = rows.get(terminal_key(terminal_id))
    return _to_terminal(row) if isinstance(row, TerminalRow) else None


def _to_terminal(row: TerminalRow) -> Terminal:
    return Terminal(row.pk, row.merchant, row.name, row.public_key, row.revoked_at)


def put_merchant(commit: Commit, merchant: Merchant, now: int) -> None:
    commit.put_new(
        MerchantRow(merchant.merchant_id, MerchantRow.SORT, name=merchant.name, admin=merchant.admin, created_at=now)
    )


def put_terminal(commit: Commit, terminal: Terminal) -> None:
    """Add a new terminal to a commit, whose merchant must exist."""
    commit.check(merchant_key(terminal.merchant), MerchantRow.pk.exists())
    commit.put_new(
        TerminalRow(
            terminal.terminal_id,
            TerminalRow.SORT,
            merchant=terminal.merchant,
            name=terminal.name,
            public_key=terminal.public_key,
        )
    )


def revoke_terminal(commit: Commit, terminal: Terminal, now: int) -> None:
    """Add a terminal's revocation to a commit; it counts from the next request."""
    row = TerminalRow(terminal.terminal_id, TerminalRow.SORT)
    commit.update(row, [TerminalRow.revoked_at.set(now)], TerminalRow.merchant == terminal.merchant)


def terminals(merchant_id: str, *, after: str, limit: int) -> Iterator[Terminal]:
    """A page of a merchant's terminals by id, beyond `after`."""
    values: dict[str, Any] = {":merchant": {"S": merchant_id}} | ({":after": {"S": after}} if after else {})
    answer = call(
        "Query",
        {
            "TableName": TerminalRow.table(),
            "IndexName": "by_merchant",
            "KeyConditionExpression": "merchant = :merchant" + (" AND pk > :after" if after else ""),
            "ExpressionAttributeValues": values,
            "Limit": limit,
        },
    )
    keys = [terminal_key(item["pk"]["S"]) for item in answer["Items"]]
    rows = read(keys[:100]) | read(keys[100:])
    for key in keys:
        found = terminal(rows, key[1])
        if found is not None:
            yield found
