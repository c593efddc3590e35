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
from billfold.tables.rows import Integer, Json, Row, Wanted, as_stored, existence, single, table

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


def operation(operation_id: str) -> Wanted[OperationRow | None]:
    """The record of an operation; None: nothing was answered to it before."""
    return single(OperationRow, operation_id, OperationRow.SORT, as_stored)


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
    commit.check((OperationRow, operation_id, OperationRow.SORT), OperationRow.pk.does_not_exist())


def dpop_used(device_id: str, jti: str) -> Wanted[bool]:
    """Whether a device's DPoP proof was used before."""
    return existence((DpopRow, _dpop(device_id, jti), DpopRow.SORT))


def use_dpop(commit: Commit, device_id: str, jti: str, now: int) -> None:
    """Add to a commit that a device's DPoP proof is used, which it was not before."""
    commit.put_new(DpopRow(_dpop(device_id, jti), DpopRow.SORT, expires_at=(now + KEPT) // SECOND))


def _dpop(device_id: str, jti: str) -> str:
    return ids.derived("prf", device_id, jti)
