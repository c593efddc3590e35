"""Merchants and their terminals.

pk     sk         what
mer_…  merchant   name, the user who administers it, since when it is suspended
trm_…  terminal   its merchant and Ed25519 public key; revoked_at once revoked (an index lists a merchant's)
"""

from collections.abc import Iterator
from typing import Any

from pynamodb.attributes import UnicodeAttribute

from billfold.events import OutboxKind, outbox_rows
from billfold.merchants import Merchant, Terminal
from billfold.tables.commits import Commit
from billfold.tables.rows import Integer, Key, Row, call, read, table


class MerchantRow(Row):
    class Meta:
        table_name = table("merchants")

    SORT = "merchant"
    name = UnicodeAttribute()
    admin = UnicodeAttribute()
    created_at = Integer()
    suspended_at = Integer(null=True)


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
    if not isinstance(row, MerchantRow):
        return None
    return Merchant(row.pk, row.name, row.admin, row.suspended_at is not None)


def seller_keys(rows: dict[Key, Row]) -> set[Key]:
    """Where the merchants of the terminals among these rows are."""
    return {merchant_key(row.merchant) for row in rows.values() if isinstance(row, TerminalRow)}


def terminal(rows: dict[Key, Row], terminal_id: str) -> Terminal | None:
    """The terminal among rows that were read; suspended when its merchant, read with it, is."""
    row = rows.get(terminal_key(terminal_id))
    if not isinstance(row, TerminalRow):
        return None
    seller = merchant(rows, row.merchant)
    return Terminal(row.pk, row.merchant, row.name, row.public_key, row.revoked_at, bool(seller and seller.suspended))


def put_merchant(commit: Commit, merchant: Merchant, now: int) -> None:
    commit.put_new(
        MerchantRow(merchant.merchant_id, MerchantRow.SORT, name=merchant.name, admin=merchant.admin, created_at=now)
    )
    for audience in (merchant.admin, merchant.merchant_id):
        outbox_rows.tell(commit, "merchant.created", audience, merchant.merchant_id, now)


def put_suspension(commit: Commit, merchant: Merchant, now: int, *, suspended: bool) -> None:
    """Add to a commit that a merchant is suspended from now on, or no more; the other held until then."""
    action = MerchantRow.suspended_at.set(now) if suspended else MerchantRow.suspended_at.remove()
    was = MerchantRow.suspended_at.does_not_exist() if suspended else MerchantRow.suspended_at.exists()
    commit.update(MerchantRow(merchant.merchant_id, MerchantRow.SORT), [action], MerchantRow.pk.exists() & was)
    kind: OutboxKind = "merchant.suspended" if suspended else "merchant.resumed"
    outbox_rows.tell(commit, kind, merchant.merchant_id, merchant.merchant_id, now)


def put_terminal(commit: Commit, terminal: Terminal, now: int) -> None:
    """Add a new terminal to a commit, whose merchant must exist and not be suspended."""
    commit.check(merchant_key(terminal.merchant), MerchantRow.pk.exists() & MerchantRow.suspended_at.does_not_exist())
    commit.put_new(
        TerminalRow(
            terminal.terminal_id,
            TerminalRow.SORT,
            merchant=terminal.merchant,
            name=terminal.name,
            public_key=terminal.public_key,
        )
    )
    outbox_rows.tell(commit, "terminal.registered", terminal.merchant, terminal.terminal_id, now)


def revoke_terminal(commit: Commit, terminal: Terminal, now: int) -> None:
    """Add a terminal's revocation to a commit; it counts from the next request. The first of two stays, and is told once."""
    row = TerminalRow(terminal.terminal_id, TerminalRow.SORT)
    first = (TerminalRow.merchant == terminal.merchant) & TerminalRow.revoked_at.does_not_exist()
    commit.update(row, [TerminalRow.revoked_at.set(now)], first)
    outbox_rows.tell(commit, "terminal.revoked", terminal.merchant, terminal.terminal_id, now)


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
