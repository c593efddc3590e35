"""Everything that can go wrong with a call of a bank: nothing is assumed, nothing happens twice, and asking again finds out."""

import functools
from collections.abc import Callable
from typing import Any

import pytest
import urllib3
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError, ProtocolError, ReadTimeoutError

from infra.plan import steps
from tests.proof import plays, scenarios
from tests.proof.ground import State, check_money
from tests.proof.plays import Play, Scenario, undisturbed
from tests.proof.test_errors import check_refusal
from tests.proof.test_permissions import NEVER_ASKING
from tests.proof.wire import BANK, Fault, Wire

STEPS = {step.name: step for step in steps.known()}
ASKING = [scenario for scenario in scenarios.ALL if STEPS[scenario.step].may.bank]
# What a machine's task did not hear is written down, and the machine asks again: a change more than without trouble.
WRITING_UNKNOWN = {"ask_bank"}


def raised(make: Callable[[Any], Exception], *, after: bool = False) -> Fault:
    """No answer comes; `after`: though the bank has done it."""

    def fault(pool: Any, action: str, arguments: dict[str, Any], send: Callable[[], Any]) -> Any:
        if after:
            send()
        raise make(pool)

    return fault


def answered(status: int, body: bytes, *, after: bool = False) -> Fault:
    """Something before the bank answers in its place; `after`: though the bank has done it."""

    def fault(pool: Any, action: str, arguments: dict[str, Any], send: Callable[[], Any]) -> Any:
        if after:
            send()
        return urllib3.HTTPResponse(body, status=status)

    return fault


SILENT = functools.partial(ReadTimeoutError, url="/", message="no answer")
TROUBLES: dict[str, Fault] = {
    "connection refused": raised(lambda pool: NewConnectionError(pool, "refused")),
    "connection silent": raised(lambda pool: ConnectTimeoutError(pool, "silent")),
    "request lost": raised(SILENT),
    "answer lost": raised(SILENT, after=True),
    "connection cut": raised(lambda pool: ProtocolError("cut"), after=True),
    "internal error": answered(500, b'{"error": "internal"}'),
    "internal error after the effect": answered(500, b'{"error": "internal"}', after=True),
    "too many calls": answered(429, b'{"error": "slow_down"}'),
    "unavailable, says the gateway": answered(503, b"<html>"),
    "unreadable": answered(200, b'{"outcome": "appro', after=True),
    "empty": answered(200, b"{}", after=True),
    "of another kind": answered(200, b'["approved"]', after=True),
    "what nobody knows": answered(200, b'{"outcome": "maybe", "kind": "charge"}', after=True),
    "an approval without a token": answered(200, b'{"outcome": "approved", "reference": "x"}', after=True),
}


@pytest.mark.parametrize("scenario", [scenario for scenario in ASKING if scenario.step not in NEVER_ASKING], ids=str)
def test_whatever_befalls_a_call_of_a_bank_the_next_delivery_puts_it_right(harness, scenario: Scenario):
    """CB-13, CB-21: unknown is never success nor refusal; the bank does each thing once; money is conserved throughout."""
    play = plays.play(harness, scenario)
    first, done, wire = undisturbed(play)
    for number, call in enumerate(wire.calls):
        for name, fault in TROUBLES.items() if call.service == BANK else ():
            where = f"{name} at call {number}, {call.action}"
            play.rewind()
            outcome = play.arrive(Wire(fault, at=number))
            if outcome.status != first.status:
                check_refusal(outcome, where)
            check_money(play.harness.ground.look())
            again = play.arrive()
            play.check_again(again, first)
            left = play.end()
            check_money(left)
            assert what_counts(play, left) == what_counts(play, done), where


def what_counts(play: Play, state: State) -> str:
    """What must be as if nothing had gone wrong: all of it, or, where silence is written down, what the bank did."""
    if play.scenario.step not in WRITING_UNKNOWN:
        return play.alike(state)
    return play.alike({key: item for key, item in state.items() if key[0] == "sandbox_bank"})
