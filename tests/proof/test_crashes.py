"""A process can die before or after any call of AWS or of a bank. What comes again then leaves what one run would have left."""

import pytest

from infra.plan import steps
from tests.proof import faults, plays, scenarios
from tests.proof.ground import check_money, effects
from tests.proof.plays import Scenario, undisturbed
from tests.proof.wire import LOOKING, Wire

STEPS = {step.name: step for step in steps.known()}


def has_effect(name: str) -> bool:
    """Whether a step writes, sends to a queue, or moves a state machine."""
    step = STEPS[name]
    return step.header["Writes"] != "nothing" or bool(step.may.queues or step.may.machines)


WITH_EFFECT = [scenario for scenario in scenarios.ALL if has_effect(scenario.step)]


def test_every_step_has_a_scenario():
    """The list comes from the map: a new step cannot stay out of the proofs."""
    assert {scenario.step for scenario in scenarios.ALL} == set(STEPS)
    assert len({str(scenario) for scenario in scenarios.ALL}) == len(scenarios.ALL)


@pytest.mark.parametrize("scenario", scenarios.ALL, ids=str)
def test_a_repeat_gets_the_first_answer_and_changes_nothing(harness, scenario: Scenario):
    """LG-10, LG-04: the undisturbed run does what it should, and once more of it leaves every row as it is."""
    play = plays.play(harness, scenario)
    first, done, _ = undisturbed(play)
    assert first.status == scenario.status, first
    check_money(done)
    again = play.arrive()
    play.check_again(again, first)
    left = play.end()
    check_money(left)
    if counts_tries(scenario):
        return
    assert play.alike(left) == play.alike(done) if scenario.again else effects(left) == effects(done)


def counts_tries(scenario: Scenario) -> bool:
    """What asks for a PIN without an Idempotency-Key: a repeat that names one that is not the current one is one more wrong try."""
    return scenario.step in ("set_pin", "remove_card") and 403 in scenario.again


@pytest.mark.parametrize("scenario", WITH_EFFECT, ids=str)
def test_a_crash_at_any_call_and_the_redelivery_leave_what_one_run_leaves(harness, scenario: Scenario):
    """LG-07: no half-done state, no lost effect, none doubled; the caller who asks again hears what the first run said."""
    play = plays.play(harness, scenario)
    first, done, wire = undisturbed(play)
    assert wire.calls
    for number, call in enumerate(wire.calls):
        if call.action in LOOKING and not scenarios.is_first(scenario):
            continue
        for crash in (faults.crash_before, faults.crash_after):
            play.rewind()
            with pytest.raises(faults.Crash):
                play.arrive(Wire(crash, at=number))
            where = f"{crash.__name__} call {number}, {call.action}"
            happened = play.harness.ground.look() != play.before
            again = play.arrive()
            if happened:
                play.check_again(again, first)
            else:
                assert play.answer(again) == play.answer(first), where
            left = play.end()
            check_money(left)
            if not (happened and counts_tries(scenario)):
                assert play.alike(left) == play.alike(done), where
