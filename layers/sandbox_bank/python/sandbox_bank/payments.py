"""Charges on approved cards, and what is given back of them. Amounts are in minor units."""

from typing import Any

from billfold import ids
from billfold.tables.rows import Commit
from sandbox_bank import rows
from sandbox_bank.rows import AuthenticationRow, PaymentRow

Wire = dict[str, Any]
PAGE = 50


def charge(commit: Commit, key: str, request: Wire, row: AuthenticationRow | None, declined: str, now: int) -> Wire:
    """Charge a card, unless its approval is missing or withdrawn, or its behaviour declines."""
    about = str(request["merchant_reference"])
    if row is None or row.outcome != "approved" or row.withdrawn or now < row.decided_at:
        return _declined("charge", about, "not_approved")
    if declined:
        return _declined("charge", about, declined)
    made = PaymentRow(
        rows.PAYMENTS,
        ids.new("pay", now),
        kind="charge",
        key=key,
        about=about,
        amount=request["amount"],
        currency=str(request["currency"]),
        at=now,
        refunded=0,
    )
    commit.put_new(made)
    return present(made)


def refund(commit: Commit, key: str, charged: PaymentRow, request: Wire, now: int) -> Wire:
    """Give back a part of a charge, or all that is left of it; never more than was charged."""
    about, left = str(request.get("merchant_reference") or charged.about), charged.amount - charged.refunded
    given = left if request["amount"] is None else request["amount"]
    if not 0 < given <= left or charged.kind != "charge":
        return _declined("refund", about, "more_than_was_charged")
    commit.update(charged, [PaymentRow.refunded.set(charged.refunded + given)], PaymentRow.refunded == charged.refunded)
    made = PaymentRow(
        rows.PAYMENTS,
        ids.new("pay", now),
        kind="refund",
        key=key,
        about=about,
        of=charged.sk,
        amount=given,
        currency=charged.currency,
        at=now,
        refunded=0,
    )
    commit.put_new(made)
    return present(made)


def present(row: PaymentRow) -> Wire:
    """A charge or refund that was made."""
    outcome = "charged" if row.kind == "charge" else "refunded"
    return {"kind": row.kind, "outcome": outcome, "reference": row.sk, "merchant_reference": row.about, "reason": ""}


def listed(since: int, until: int, cursor: str) -> Wire:
    """A page of the list, oldest first; `next` is empty at its end."""
    found = rows.payments(since, until, cursor, PAGE)
    lines = [
        {
            "key": row.key,
            "reference": row.sk,
            "kind": row.kind,
            "amount": row.amount,
            "currency": row.currency,
            "at": row.at,
        }
        for row in found
    ]
    return {"items": lines, "next": found[-1].sk if len(found) == PAGE else ""}


def _declined(kind: str, about: str, reason: str) -> Wire:
    return {"kind": kind, "outcome": "declined", "reference": "", "merchant_reference": about, "reason": reason}
