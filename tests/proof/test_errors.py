"""Every AWS error, at every call of every step: the caller hears a clean "try again", and trying again puts it right."""

from collections.abc import Iterator

import pytest

from infra.plan import steps
from tests.proof import plays, scenarios
from tests.proof.faults import TROUBLES, Trouble
from tests.proof.ground import State, apart, check_money
from tests.proof.harness import Outcome
from tests.proof.plays import Play, Scenario, undisturbed
from tests.proof.test_crashes import counts_tries
from tests.proof.wire import BANK, LOOKING, Call, Wire

STEPS = {step.name: step for step in steps.known()}
CALLING = [scenario for scenario in scenarios.ALL if scenario.step not in ("check_health", "show_contract")]


def troubles(scenario: Scenario) -> list[Trouble]:
    """All of them for a step's first scenario; for its others one of each kind."""
    return [trouble for trouble in TROUBLES if trouble.telling or scenarios.is_first(scenario)]


def matrix(calls: list[Call], chosen: list[Trouble]) -> Iterator[tuple[int, Trouble]]:
    """Every call of AWS with every trouble that can befall it (what befalls calls of banks is in test_bank_troubles.py).

    Of calls in a row that are parts of one, each trouble takes another.
    """
    alike = [(call.action, call.arguments.get("IndexName")) for call in calls]
    for number, call in enumerate(calls):
        if call.service == BANK:
            continue
        first = next(start for start in range(number, -1, -1) if start == 0 or alike[start - 1] != alike[number])
        row = sum(1 for _ in _while_alike(alike, first)) if in_parts(call) else 1
        for turn, trouble in enumerate(chosen):
            if trouble.befalls(call.action) and (row == 1 or turn % row == number - first):
                yield number, trouble


def in_parts(call: Call) -> bool:
    """Whether calls like this in a row differ only in a shard of an index of instants, or in which ten messages they send."""
    return call.action == "SendMessageBatch" or call.arguments.get("IndexName") in ("due", "by_day")


def _while_alike(alike: list[tuple[str, str | None]], first: int) -> Iterator[int]:
    number = first
    while number < len(alike) and alike[number] == alike[first]:
        yield number
        number += 1


# How a delivery is told to come again: to HTTP by these codes, to a queue, stream or schedule without a body.
AGAIN = {"": 503, "unavailable": 503, "busy": 503, "operation_running": 409}


@pytest.mark.parametrize("scenario", CALLING, ids=str)
def test_an_aws_error_at_any_call_is_answered_and_then_put_right(harness, scenario: Scenario):
    """LG-07, XX-02: 2xx, or 409 or 503 with Retry-After, never a bare 500; no half-done state; the retry succeeds."""
    play = plays.play(harness, scenario)
    first, done, wire = undisturbed(play)
    assert wire.calls
    for number, trouble in matrix(wire.calls, troubles(scenario)):
        if wire.calls[number].action in LOOKING and not scenarios.is_first(scenario):
            continue
        where = f"{trouble.name} at call {number}, {wire.calls[number].action}"
        play.rewind()
        outcome = play.arrive(Wire(trouble.fault, at=number, times=trouble.times))
        # What waits for a bank is to be delivered again, also after a run that nothing disturbs.
        if finished := outcome.status != 503 and play.answer(outcome) == play.answer(first):
            # Nobody will deliver it again, so all that there is to do must have been done.
            assert play.alike(play.end()) == play.alike(done), where
        else:
            check_refusal(outcome, where)
        happened = finished or check_whole(play, done, where)
        again = play.arrive()
        if happened:
            play.check_again(again, first)
        else:
            assert play.answer(again) == play.answer(first), where
        left = play.end()
        check_money(left)
        if not (happened and counts_tries(scenario)):
            assert play.alike(left) == play.alike(done), where


def check_refusal(outcome: Outcome, where: str) -> None:
    """A problem that says when to try again; of a queue, stream or schedule, that it is to be delivered again."""
    said = "" if outcome.body is None else outcome.body["code"]
    assert outcome.status == AGAIN.get(said), f"{where}: {outcome}"
    if said:
        headers = dict(outcome.headers)
        assert headers["Content-Type"] == "application/problem+json", where
        assert int(headers["Retry-After"]) >= 1, where


def check_whole(play: Play, done: State, where: str) -> bool:
    """All of the effect or none: whether it happened. What followers add is not there yet.

    A step that calls a bank commits around the call; each of its points is one that an undisturbed run passes through. A bucket
    is part of no transaction: its objects may have gone already, or not yet.
    """
    state, objects = apart(play.harness.ground.look())
    check_money(state)
    (before, objects_before), (after, objects_after) = apart(play.before), apart(done)
    assert objects in (objects_before, objects_after), where
    if state == before:
        return False
    whole = {play.alike(after)}
    if STEPS[play.scenario.step].may.bank:
        whole |= plays.points(play)
    assert play.alike(state) in whole, where
    return True
