"""Overtaken: somebody else's commit lands between a step's reads and its write, at every transaction of every scenario.

Together the two are as if one came wholly after the other: what both were answered and what is left are what they would be with
the rival before the step, or after it. Where that makes a difference, the step hears of the rival, and acts as if the rival
had come first; `UNHEARD` names the rest. What asks a bank in between is proved by `test_card_races` and `test_silent_banks`: a
bank's word is not taken back with a failed condition.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.proof import plays, rivals, scenarios
from tests.proof.ground import check_money
from tests.proof.plays import Play, Scenario
from tests.proof.rivals import Rival
from tests.proof.wire import BANK, Wire
from tests.world import STEPS

# Steps, or single scenarios of them, that commit as if this rival came after them: a condition on another row would cost two
# write units a call, and let the callers of one merchant cancel each other (docs/decisions.md, entries 15 and 49).
UNHEARD = {
    "suspends the user": {
        "add_items",
        "bind_card",
        "close_bill",
        "dispute_item",
        "open_bill",
        "refund_items",
        "register_terminal",
        "start_card_photo",
        "top_up_wallet",
        "void_item",
    },
    "suspends the merchant": {"add_items"},
    "revokes the terminal": {"add_items"},
    "removes the phone": {"add_items", "bind_card", "verify_bill"},
    # They show how many tries were left when they looked; the verification itself counts them anew.
    rivals.GUESSES: {"add_items", "close_bill", "dispute_item"},
    # It answers with the bill that was open when it looked, and writes only that it did.
    "closes the bill": {"open_bill: the one that is open"},
    # It is refused for the three who held the card when it looked, and writes only that it was tried.
    "removes the card": {"bind_card: a fourth holder"},
}
# For each kind of rival, a scenario in which the order makes a difference, so that no kind is without effect unseen.
DECISIVE = {
    "suspends the user": "post_transfer: pays",
    "changes the PIN of": "remove_card: one that is linked",
    rivals.GUESSES: "post_transfer: pays",
    "suspends the merchant": "register_terminal: a new one",
    "revokes the terminal": "add_items: one item",
    "removes the phone": "open_bill: a new one",
    "opens a bill on": "remove_device: an idle phone",
    "closes the bill": "add_items: one item",
    "disputes an item of": "verify_bill: pays one seller",
    "removes the card": "top_up_wallet: by a card",
    "does the same": "refund_items: all",
}


@dataclass(frozen=True)
class End:
    """What the step was answered, what its rival was, and what is left."""

    answered: str
    rival: object
    left: str


def end(play: Play, run: Callable[[], tuple[str, object]]) -> End:
    """Where a run from the ground ends; money is conserved."""
    play.rewind()
    answered, rival = run()
    left = play.harness.ground.look()
    check_money(left)
    return End(answered, rival, play.alike(left))


def before(play: Play, rival: Rival) -> End:
    def run() -> tuple[str, object]:
        said = rival.act()
        return play.answer(play.arrive()), said

    return end(play, run)


def after(play: Play, rival: Rival) -> End:
    def run() -> tuple[str, object]:
        answered = play.answer(play.arrive())
        return answered, rival.act()

    return end(play, run)


def inside(play: Play, rival: Rival, at: int) -> End:
    """The rival commits just before the step's call of this number is sent."""
    said: list[object] = []

    def overtake(client: Any, action: str, arguments: dict[str, Any], send: Callable[[], Any]) -> Any:
        said.append(rival.act())
        return send()

    def run() -> tuple[str, object]:
        answered = play.answer(play.arrive(Wire(overtake, at=at)))
        return answered, said[0]

    return end(play, run)


def overtakes(play: Play) -> Iterator[tuple[Rival, list[int]]]:
    """Each rival that can do something here to what the step names or reads, and the step's transactions by number."""
    play.rewind()
    play.arrive()
    calls = list(play.wire.calls)
    numbers = [number for number, call in enumerate(calls) if call.action == "TransactWriteItems"]
    if not numbers or any(call.service == BANK for call in calls):
        return
    known = json.dumps([(call.arguments, call.answer) for call in calls], default=str)
    for rival in rivals.found(play):
        if rival.about in known and changes(play, rival):
            yield rival, numbers


def changes(play: Play, rival: Rival) -> bool:
    play.rewind()
    rival.act()
    return play.harness.ground.look() != play.before


@pytest.mark.parametrize("scenario", scenarios.ALL, ids=str)
def test_whoever_commits_within_a_steps_transaction_came_before_it_or_after_it(harness, scenario: Scenario):
    """LG-07, decision 3: no half state, no lost effect, none that stands on what is no longer so."""
    play = plays.play(harness, scenario)
    for rival, numbers in overtakes(play):
        first, last = before(play, rival), after(play, rival)
        unheard = UNHEARD.get(rival.kind, set()) & {scenario.step, str(scenario)}
        for number in numbers:
            assert inside(play, rival, number) == (last if unheard else first), rival


# Until the first is set there is none.
NOTHING_TO_GUESS = {"set_pin: the first"}
# Every way in which a right PIN is taken.
RIGHT_PINS = [
    scenario
    for scenario in scenarios.ALL
    if scenarios.takes_pin(scenario.step) and scenario.status < 300 and str(scenario) not in NOTHING_TO_GUESS
]


@pytest.mark.parametrize("scenario", RIGHT_PINS, ids=str)
def test_three_wrong_guesses_within_the_right_ones_transaction_lock_it_out(harness, scenario: Scenario):
    """VB-15, decision 4: the right PIN is judged anew, finds the lock, and does nothing; so nobody tries a fourth PIN at once."""
    play = plays.play(harness, scenario)
    [(rival, numbers)] = [(rival, numbers) for rival, numbers in overtakes(play) if rival.kind == rivals.GUESSES]
    alone = end(play, lambda: ("", rival.act()))
    for number in numbers:
        overtaken = inside(play, rival, number)
        assert '"code": "pin_locked"' in overtaken.answered
        assert overtaken.left == alone.left


def test_every_step_that_takes_a_pin_is_overtaken_by_guesses():
    """A new one has a scenario with a right PIN, or this fails."""
    assert {scenario.step for scenario in RIGHT_PINS} == {name for name in STEPS if scenarios.takes_pin(name)}


@pytest.mark.parametrize("kind", DECISIVE)
def test_every_kind_of_rival_makes_a_difference_somewhere(harness, kind):
    """Otherwise the matrix would say nothing of it."""
    (scenario,) = [scenario for scenario in scenarios.ALL if str(scenario) == DECISIVE[kind]]
    play = plays.play(harness, scenario)
    found = [rival for rival, _ in overtakes(play) if rival.kind == kind]
    assert any(before(play, rival) != after(play, rival) for rival in found)


def test_every_kind_of_rival_has_its_decisive_scenario():
    """A new rival cannot stay without one."""
    assert set(DECISIVE) == {*rivals.KINDS, rivals.TWIN}
