"""Idempotency records of operations that leave no other row to repeat the answer from (LG-10), and DPoP proofs that count once.

pk     sk          what
opr_…  operation   a keyed hash of the request, the answer's status and body; deleted by TTL after two days
prf_…  proof       that a DPoP proof was used; deleted by TTL after two days, long after the proof is stale
"""

from typing import Any

from pynamodb.attributes import UnicodeAttribute

from billfold import ids
from billfold.clock import HOUR, SECOND
from billfold.errors import Refusal
from billfold.tables.commits import Commit
from billfold.tables.rows import Integer, Json, Key, Row, table

KEPT = 48 * HOUR


class OperationRow(Row):
    class Meta:
        table_name = table("operations")

    SORT = "operation"
    request = UnicodeAttribute()
    status = Integer()
    body = Json()
    expires_at = Integer()


class DpopRow(Row):
    class Meta:
        table_name = table("operations")

    SORT = "proof"
    expires_at = Integer()


def operation_key(operation: str) -> Key:
    return (OperationRow, operation, OperationRow.SORT)


def operation(rows: dict[Key, Row], operation_id: str) -> OperationRow | None:
    row = rows.get(operation_key(operation_id))
    return row if isinstance(row, OperationRow) else None


def record(commit: Commit, operation_id: str, request: str, status: int, body: Any, now: int) -> None:
    """Add to a commit that this operation was done and what it answered; it must not have been done before."""
    expires_at = (now + KEPT) // SECOND
    commit.record(
        OperationRow(operation_id, OperationRow.SORT, request=request, status=status, body=body, expires_at=expires_at)
    )


def refuse(commit: Commit, operation_id: str, request: str, refusal: Refusal, now: int) -> None:
    """Add to a commit that this operation was refused, so that a repeat is refused alike and nothing is counted twice."""
    record(commit, operation_id, request, refusal.status, refusal.problem(), now)


def check_absent(commit: Commit, operation_id: str) -> None:
    """Add to a commit that nothing was answered to this operation before."""
    commit.check(operation_key(operation_id), OperationRow.pk.does_not_exist())


def dpop_key(device_id: str, jti: str) -> Key:
    return (DpopRow, ids.derived("prf", device_id, jti), DpopRow.SORT)


def use_dpop(commit: Commit, key: Key, now: int) -> None:
    """Add to a commit that this DPoP proof is used, which it was not before."""
    _, pk, sk = key
    commit.put_new(DpopRow(pk, sk, expires_at=(now + KEPT) // SECOND))
