"""Whether a card is a person's: decided at once, later, or when the person has given the code.

→ approved | declined          at `decided_at`, which is later for some cards; `pending` until then
→ challenge → approved | declined   the code within five minutes of being sent, in five tries
withdrawn                      by the merchant: no charge is made on it any more
"""

from typing import Any

from billfold import ids
from billfold.clock import MINUTE, SECOND
from billfold.tables.commits import Commit
from sandbox_bank import behaviours, keys
from sandbox_bank.behaviours import NAMED
from sandbox_bank.rows import AuthenticationRow

CODE = "123456"
TRIES = 5
CODE_VALID = 5 * MINUTE

Wire = dict[str, Any]


def start(commit: Commit, key: str, request: Wire, now: int) -> tuple[Wire, int]:
    """Decide on a card: the answer, and from when on it is given."""
    number = str(request["number"])
    behaviour = behaviours.of(number)
    decided_at = now + (behaviours.late_seconds(number) * SECOND if behaviour.late else 0)
    challenged = behaviour.challenged or request["force_challenge"]
    row = AuthenticationRow(
        ids.derived("bau", key),
        AuthenticationRow.SORT,
        about=str(request["merchant_reference"]),
        behaviour=behaviour.name,
        outcome="declined" if behaviour.declined else "challenge" if challenged else "approved",
        reason=behaviour.declined,
        decided_at=decided_at,
        tries_left=TRIES,
        code_until=decided_at + CODE_VALID,
    )
    commit.put_new(row)
    return _wire(row, row.outcome, row.reason), decided_at


def send_code(commit: Commit, row: AuthenticationRow, now: int) -> Wire:
    """Send a new code, which is good for five minutes; the tries stay counted. A page waits without."""
    if row.outcome == "challenge":
        commit.update(row, [AuthenticationRow.code_until.set(now + CODE_VALID)], _unchanged(row))
    return present(row, now)


def take_code(commit: Commit, row: AuthenticationRow, code: str, now: int) -> Wire:
    """Judge a code."""
    if row.outcome != "challenge" or row.withdrawn or NAMED[row.behaviour].paged:
        return present(row, now)
    if now > row.code_until:
        return _wire(row, "challenge", "code_expired")
    tries_left = row.tries_left - 1
    right = code == CODE
    outcome = "approved" if right else "challenge" if tries_left else "declined"
    reason = "" if right else "wrong_code" if tries_left else "too_many_codes"
    actions = [
        AuthenticationRow.outcome.set(outcome),
        AuthenticationRow.reason.set(reason),
        AuthenticationRow.tries_left.set(tries_left),
    ]
    commit.update(row, actions, _unchanged(row))
    return _wire(row, outcome, reason) | {"tries_left": tries_left}


def confirm(commit: Commit, row: AuthenticationRow, confirmed: bool) -> None:
    """What the holder says on the bank's page."""
    outcome, reason = ("approved", "") if confirmed else ("declined", "not_confirmed")
    actions = [AuthenticationRow.outcome.set(outcome), AuthenticationRow.reason.set(reason)]
    commit.update(row, actions, _unchanged(row))


def withdraw(commit: Commit, row: AuthenticationRow) -> Wire:
    """Undo an approval, or keep one from coming."""
    commit.update(row, [AuthenticationRow.withdrawn.set(True)])
    return {"kind": "refund", "outcome": "refunded", "reference": row.pk, "merchant_reference": row.about}


def present(row: AuthenticationRow, now: int) -> Wire:
    """An authentication as it is now."""
    if row.withdrawn:
        return _wire(row, "declined", "withdrawn")
    if now < row.decided_at:
        return _wire(row, "pending", "")
    return _wire(row, row.outcome, row.reason)


def shown(answer: Wire) -> Wire:
    """An answer as it leaves the bank: with the token that goes with an approval, or the secret of a challenge's page. They are
    stored nowhere."""
    if answer["kind"] == "authentication" and answer["outcome"] == "approved":
        return answer | {"token": keys.token(answer["reference"])}
    return answer | {"page_secret": keys.page_secret(answer["reference"])} if answer.get("paged") else answer


def _wire(row: AuthenticationRow, outcome: str, reason: str) -> Wire:
    return {
        "kind": "authentication",
        "outcome": outcome,
        "reference": row.pk,
        "merchant_reference": row.about,
        "reason": reason,
        "tries_left": row.tries_left if outcome == "challenge" else None,
        "paged": outcome == "challenge" and NAMED[row.behaviour].paged,
    }


def _unchanged(row: AuthenticationRow) -> Any:
    return (AuthenticationRow.outcome == row.outcome) & (AuthenticationRow.tries_left == row.tries_left)
