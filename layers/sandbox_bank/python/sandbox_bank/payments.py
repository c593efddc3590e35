"""Charges on approved cards, and what is given back of them. Amounts are in minor units."""

from typing import Any

from billfold import clock, ids
from billfold.clock import SECOND
from billfold.tables.commits import Commit
from sandbox_bank import rows
from sandbox_bank.behaviours import NAMED
from sandbox_bank.rows import AuthenticationRow, PaymentRow

Wire = dict[str, Any]
PAGE = 50
# Until a refund fails, a disputed charge is taken back, and a dispute that was won is returned.
FAILS, TAKEN, RETURNED = 2 * SECOND, 2 * SECOND, 6 * SECOND


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
        later=NAMED[row.behaviour].later,
    )
    commit.put_new(made)
    return present(made, now)


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
        later=charged.later,
    )
    commit.put_new(made)
    return present(made, now)


def turns(row: PaymentRow) -> list[int]:
    """When something becomes of it that a callback tells."""
    times = {
        "refund_fails": ("refund", [FAILS]),
        "disputed": ("charge", [TAKEN]),
        "dispute_won": ("charge", [TAKEN, RETURNED]),
    }
    kind, after = times.get(row.later, ("", []))
    return [row.at + seconds for seconds in after] if row.kind == kind else []


def present(row: PaymentRow, now: int) -> Wire:
    """A charge or refund that was made, as it is now."""
    failed = row.kind == "refund" and any(now >= at for at in turns(row))
    outcome, reason = (
        ("charged", "") if row.kind == "charge" else ("declined", "card_closed") if failed else ("refunded", "")
    )
    return {
        "kind": row.kind,
        "outcome": outcome,
        "reference": row.sk,
        "merchant_reference": row.about,
        "reason": reason,
    }


def disputes(row: PaymentRow, now: int) -> Wire:
    """The dispute of a charge, once there is one; `taken`: while the bank has its money back."""
    passed = [at for at in turns(row) if now >= at] if row.kind == "charge" else []
    one = {"reference": f"dsp_{row.sk}", "amount": row.amount, "currency": row.currency, "taken": len(passed) == 1}
    return {"items": [one] if passed else []}


def listed(since: int, until: int, cursor: str) -> Wire:
    """A page of the list, oldest first; `next` is empty at its end."""
    found, now = rows.payments(since, until, cursor, PAGE), clock.now()
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
        if present(row, now)["outcome"] != "declined"
    ]
    return {"items": lines, "next": found[-1].sk if len(found) == PAGE else ""}


def _declined(kind: str, about: str, reason: str) -> Wire:
    return {"kind": kind, "outcome": "declined", "reference": "", "merchant_reference": about, "reason": reason}
