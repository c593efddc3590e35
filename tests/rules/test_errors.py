"""The refusals: one tree, stable codes, whole texts, and a way back from what was stored."""

import re
import string
from typing import Any

import pytest

from billfold import errors
from billfold.bills import bill_errors
from billfold.errors import Refusal
from billfold.people import people_errors

FAMILIES = {
    errors.Invalid: {400, 403, 405, 413, 415, 422},
    errors.Refused: {401, 403, 404, 409, 429},
    errors.Unavailable: {503},
}
# What clients depend on: a code that disappears or changes its status breaks them. Add lines; do not edit them.
PUBLISHED = {
    "invalid": 400,
    "request_too_large": 413,
    "idempotency_key_missing": 400,
    "idempotency_key_reused": 422,
    "pin_too_obvious": 422,
    "proof_invalid": 403,
    "refused": 409,
    "unauthenticated": 401,
    "forbidden": 403,
    "not_found": 404,
    "user_unknown": 403,
    "user_suspended": 403,
    "proof_missing": 403,
    "device_mismatch": 403,
    "device_limit_reached": 409,
    "device_busy": 409,
    "pin_missing": 403,
    "pin_wrong": 403,
    "pin_locked": 403,
    "balance_too_low": 409,
    "transfer_too_large": 409,
    "already_resolved": 409,
    "hold_expired": 409,
    "bill_closed": 409,
    "bill_full": 409,
    "bill_state_conflict": 409,
    "cap_exceeded": 409,
    "item_state_conflict": 409,
    "list_changed": 409,
    "verification_expired": 409,
    "terminal_refused": 409,
    "signature_invalid": 409,
    "counter_reused": 409,
    "operation_running": 409,
    "unavailable": 503,
    "busy": 503,
}


def tree(root: type[Refusal] = Refusal) -> list[type[Refusal]]:
    return [kind for child in root.__subclasses__() for kind in (child, *tree(child))]


def facts(kind: type[Refusal]) -> dict[str, Any]:
    """Facts that fill the gaps in a refusal's text."""
    wanted = {name for _, name, _, _ in string.Formatter().parse(kind.user) if name}
    filled: dict[str, Any] = {name: f"a {name}" for name in wanted}
    return filled | ({"reason": "a reason", "pointer": "/a"} if issubclass(kind, errors.Invalid) else {})


LEAVES = [kind for kind in tree() if kind is not errors.Refused]
each = pytest.mark.parametrize("kind", LEAVES, ids=Refusal.code.__func__)


def test_codes_are_unique_and_those_published_stay():
    """XX-02: a stable code; two refusals under one code could not be told apart when they come back from a record."""
    codes = {kind.code(): kind.status for kind in tree()}
    assert len(codes) == len(tree())
    assert all(re.fullmatch("[a-z]+(_[a-z]+)*", code) for code in codes)
    assert codes.items() >= PUBLISHED.items()


@each
def test_every_refusal_has_its_texts_and_a_next_action(kind):
    """XX-02: a text for the user, one for operations, and what to do next."""
    for text in (kind.user, kind.operations):
        assert text.endswith("."), text
    assert re.fullmatch("[a-z]+(_[a-z]+)*", kind.next), kind.next


@each
def test_every_refusal_belongs_to_one_family_and_its_statuses(kind):
    """Fix the request, a rule says no, or try again: nothing else, and only the last is a 5xx."""
    family = [root for root in FAMILIES if issubclass(kind, root)]
    assert len(family) == 1
    assert kind.status in FAMILIES[family[0]]


@each
def test_every_refusal_becomes_a_whole_problem(kind):
    """RFC 9457: type, title, status, detail without a gap, and our code, operations and next."""
    problem = kind(**facts(kind)).problem()
    assert {"type", "title", "status", "detail", "code", "operations", "next"} <= problem.keys()
    assert problem["type"] == f"urn:billfold:problem:{kind.code()}"
    assert not re.search(r"[{}]", problem["detail"])
    assert problem["status"] == kind.status
    assert problem["code"] == kind.code()


@each
def test_a_stored_refusal_comes_back_as_itself(kind):
    """The repeat of a request that was refused answers with the very same problem."""
    first = kind(**facts(kind))
    again = errors.named(first.code(), first.facts)
    assert type(again) is kind
    assert again.problem() == first.problem()


def test_an_unknown_code_is_a_fault_and_no_refusal():
    """A code that nobody raises is a bug in what stored it."""
    with pytest.raises(LookupError, match="no_such_code"):
        errors.named("no_such_code", {})


def test_facts_become_members_of_the_problem():
    """What is left or needed travels beside the text, for programs; the reason is already in the detail."""
    assert people_errors.PinWrong(tries_left=2).problem()["tries_left"] == 2
    invalid = errors.Invalid("no integer", "/amount").problem()
    assert invalid["pointer"] == "/amount"
    assert invalid["detail"] == "Something in this request is not right: no integer."
    assert "reason" not in invalid


def test_what_is_unavailable_says_when_to_come_back():
    """Every 503 carries Retry-After, and so does a lock."""
    assert all(kind().retry_after_seconds for kind in [errors.Unavailable, *tree(errors.Unavailable)])
    assert errors.OperationRunning().retry_after_seconds == 1
    assert people_errors.PinLocked(retry_after_seconds=900, tries_left=0).retry_after_seconds == 900
    assert bill_errors.BillClosed().retry_after_seconds is None


def test_stale_is_no_refusal():
    """It never reaches a caller: the trigger runs the step again."""
    assert not issubclass(errors.Stale, Refusal)
