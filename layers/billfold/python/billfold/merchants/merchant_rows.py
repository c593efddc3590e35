"""Merchants and their terminals.

pk     sk         what
mer_…  merchant   name, the user who administers it, since when it is suspended
trm_…  terminal   its merchant and Ed25519 public key; revoked_at once revoked (an index lists a merchant's)
"""

from collections.abc import Iterable
from typing import Any

from pynamodb.attributes import UnicodeAttribute

from billfold.events import OutboxKind, outbox_rows
from billfold.merchants import Merchant, Terminal
from billfold.tables.commits import Commit
from billfold.tables.rows import Integer, Key, Row, Wanted, call, fetch, several, single, table


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


def merchant(merchant_id: str) -> Wanted[Merchant | None]:
    """A merchant; None: unknown."""
    return single(MerchantRow, merchant_id, MerchantRow.SORT, _to_merchant)


def merchants(merchant_ids: Iterable[str]) -> Wanted[list[Merchant]]:
    """Those of these merchants that there are."""
    return several(MerchantRow, ((merchant_id, MerchantRow.SORT) for merchant_id in merchant_ids), _to_merchant)


def terminal(terminal_id: str) -> Wanted[Terminal | None]:
    """A terminal, without a word on whether its merchant is suspended; None: unknown."""
    return single(TerminalRow, terminal_id, TerminalRow.SORT, _to_terminal)


def terminals(terminal_ids: Iterable[str]) -> Wanted[list[Terminal]]:
    """Those of these terminals that there are, in this order, without a word on whether their merchants are suspended."""
    return several(TerminalRow, ((terminal_id, TerminalRow.SORT) for terminal_id in terminal_ids), _to_terminal)


def _to_merchant(row: MerchantRow) -> Merchant:
    return Merchant(row.pk, row.name, row.admin, row.suspended_at is not None)


def _to_terminal(row: TerminalRow) -> Terminal:
    return Terminal(row.pk, row.merchant, row.name, row.public_key, row.revoked_at)


def add_merchant(commit: Commit, merchant: Merchant, now: int) -> None:
    commit.put_new(
        MerchantRow(merchant.merchant_id, MerchantRow.SORT, name=merchant.name, admin=merchant.admin, created_at=now)
    )
    for audience in (merchant.admin, merchant.merchant_id):
        outbox_rows.tell(commit, "merchant.created", audience, merchant.merchant_id, now)


def add_suspension(commit: Commit, merchant: Merchant, now: int, *, suspended: bool) -> None:
    """Add to a commit that a merchant is suspended from now on, or no more; the other held until then."""
    action = MerchantRow.suspended_at.set(now) if suspended else MerchantRow.suspended_at.remove()
    was = MerchantRow.suspended_at.does_not_exist() if suspended else MerchantRow.suspended_at.exists()
    commit.update(MerchantRow(merchant.merchant_id, MerchantRow.SORT), [action], MerchantRow.pk.exists() & was)
    kind: OutboxKind = "merchant.suspended" if suspended else "merchant.resumed"
    outbox_rows.tell(commit, kind, merchant.merchant_id, merchant.merchant_id, now)


def add_terminal(commit: Commit, terminal: Terminal, now: int) -> None:
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


def terminals_of(merchant_id: str, *, after: str, limit: int) -> list[Terminal]:
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
    found = [item["pk"]["S"] for item in answer["Items"]]
    return fetch(terminals(found[:100])) + fetch(terminals(found[100:]))
