"""What the bank remembers, in its own table `sandbox_bank`.

pk          sk              what
<op_…>      operation       one idempotency key: what was asked (hashed), how often, what it came to
<bau_…>     authentication  one card's check: outcome, tries of the code, whether it was withdrawn
payments    <pay_…>         charges and refunds in the order of time
webhook     webhook         where callbacks go
"""

from typing import Any

from pynamodb.attributes import BooleanAttribute, UnicodeAttribute

from billfold import ids
from billfold.tables.commits import Commit
from billfold.tables.rows import Integer, Json, Key, Row, call, pages, read, table, write_all
from sandbox_bank import keys

PAYMENTS = "payments"


class SandboxBankRow(Row):
    class Meta:
        table_name = table("sandbox_bank")


class OperationRow(SandboxBankRow):
    """`answer`: what every ask gets once there is one, from `answers_at` on."""

    SORT = "operation"
    request = UnicodeAttribute()
    asks = Integer()
    looks = Integer(default=0)
    kind = UnicodeAttribute()
    behaviour = UnicodeAttribute(default="")
    answer = Json(null=True)
    answers_at = Integer(default=0)


class AuthenticationRow(SandboxBankRow):
    SORT = "authentication"
    about = UnicodeAttribute()
    behaviour = UnicodeAttribute()
    outcome = UnicodeAttribute()
    reason = UnicodeAttribute(default="")
    decided_at = Integer()
    tries_left = Integer(default=0)
    code_until = Integer(default=0)
    withdrawn = BooleanAttribute(default=False)


class PaymentRow(SandboxBankRow):
    """`of`: the charge that a refund gives back. `refunded`: how much of a charge was. `later`: what becomes of it."""

    kind = UnicodeAttribute()
    key = UnicodeAttribute()
    about = UnicodeAttribute(default="")
    of = UnicodeAttribute(default="")
    amount = Integer()
    currency = UnicodeAttribute()
    at = Integer()
    refunded = Integer(default=0)
    later = UnicodeAttribute(default="")


class WebhookRow(SandboxBankRow):
    SORT = "webhook"
    address = UnicodeAttribute()


def operation_id(key: str) -> str:
    """The id of what was asked with an idempotency key."""
    return ids.derived("op", key)


def count_ask(key: str, kind: str, behaviour: str, request: dict[str, Any]) -> OperationRow:
    """The operation with this key, one ask more; made by the first, which also fixes what is asked."""
    return _count(key, "asks", {"request": hashed(key, kind, request), "kind": kind, "behaviour": behaviour})


def hashed(key: str, kind: str, request: dict[str, Any]) -> str:
    """What an operation keeps of its request: a keyed hash."""
    return keys.mark("requests", repr((key, kind, sorted(request.items()))))


def count_look(key: str) -> OperationRow:
    """The operation with this key, one question about it more."""
    return _count(key, "looks", {})


def _count(key: str, counter: str, first: dict[str, str]) -> OperationRow:
    sets = ", ".join(f"#{name} = if_not_exists(#{name}, :{name})" for name in first)
    arguments: dict[str, Any] = {
        "TableName": OperationRow.table(),
        "Key": {"pk": {"S": operation_id(key)}, "sk": {"S": OperationRow.SORT}},
        "UpdateExpression": (f"SET {sets} " if sets else "") + f"ADD {counter} :one",
        "ExpressionAttributeValues": {":one": {"N": "1"}} | {f":{name}": {"S": text} for name, text in first.items()},
        "ReturnValues": "ALL_NEW",
    }
    if first:
        arguments["ExpressionAttributeNames"] = {f"#{name}": name for name in first}
    row = OperationRow.from_raw_data(call("UpdateItem", arguments)["Attributes"])
    assert isinstance(row, OperationRow)
    return row


def operation(key: str) -> OperationRow | None:
    """What was asked with this key."""
    row = _one((OperationRow, operation_id(key), OperationRow.SORT))
    return row if isinstance(row, OperationRow) else None


def authentication(reference: str) -> AuthenticationRow | None:
    row = _one((AuthenticationRow, reference, AuthenticationRow.SORT))
    return row if isinstance(row, AuthenticationRow) else None


def the_authentication(reference: str) -> AuthenticationRow:
    """An authentication that is there: none is ever removed."""
    row = authentication(reference)
    assert row is not None
    return row


def payment(reference: str) -> PaymentRow | None:
    row = _one((PaymentRow, PAYMENTS, reference))
    return row if isinstance(row, PaymentRow) else None


def webhook() -> str:
    """The address of the merchant's callbacks; empty when none is registered."""
    row = _one((WebhookRow, WebhookRow.SORT, WebhookRow.SORT))
    return row.address if isinstance(row, WebhookRow) else ""


def register_webhook(address: str) -> None:
    write_all([WebhookRow(WebhookRow.SORT, WebhookRow.SORT, address=address)])


def settle(commit: Commit, found: OperationRow, answer: dict[str, Any], answers_at: int) -> None:
    """Add to a commit what an operation came to; it must not have come to anything before."""
    actions = [OperationRow.answer.set(answer), OperationRow.answers_at.set(answers_at)]
    commit.update(found, actions, OperationRow.answer.does_not_exist())


def payments(since: int, until: int, cursor: str, limit: int) -> list[PaymentRow]:
    """Charges and refunds in the order of time, after the cursor; their ids begin with their time."""
    raw = pages(PaymentRow, PAYMENTS, after=cursor or f"pay_{since:012x}", before=f"pay_{until:012x}", limit=limit)
    return [row for row in map(PaymentRow.from_raw_data, raw) if isinstance(row, PaymentRow)]


def _one(key: Key) -> Row | None:
    _, pk, sk = key
    return read([key]).get(key) if pk and sk else None
