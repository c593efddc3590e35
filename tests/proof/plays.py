"""How a scenario is played: its set-up once, then as many runs from the same ground as there are calls and faults."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.proof.ground import State, holds_sealed, likeness
from tests.proof.stage import Outcome, Stage
from tests.proof.wire import Wire


@dataclass(frozen=True)
class Occasion:
    """What a set-up leaves behind: `arrive` delivers the request, message, batch or tick; `effect` asserts what it did."""

    arrive: Callable[[], Outcome]
    effect: Callable[[], None]


@dataclass(frozen=True)
class Scenario:
    """One way through one step.

    status: what it answers. again: what a repeat answers where the step has no idempotency record (empty: the first
    answer, whole). followed: whether queues' followers act before the end is looked at.
    slow: whether the step computes for long, so that another scenario of its meets the rarer troubles.
    """

    step: str
    case: str
    prepare: Callable[[Stage], Occasion]
    status: int = 200
    again: tuple[int, ...] = ()
    followed: bool = False
    slow: bool = False

    def __str__(self) -> str:
        return f"{self.step}: {self.case}"


class Play:
    """A scenario on the stage. `wire` holds the calls of the last run. Use `play`, which sets a scenario up only once."""

    def __init__(self, stage: Stage, scenario: Scenario) -> None:
        self.stage, self.scenario = stage, scenario
        stage.empty()
        self._occasion = scenario.prepare(stage)
        stage.take_messages()
        self.before = stage.ground.look()
        self.wire = Wire()
        self._run = uuid.uuid4().hex

    def rewind(self) -> None:
        """Back to what the set-up left."""
        self.stage.ground.put_back(self.before)
        self._run = uuid.uuid4().hex

    def arrive(self, wire: Wire | None = None) -> Outcome:
        """Deliver it once, over this wire."""
        self.wire = wire or Wire()
        self.wire.run = self._run
        with self.wire:
            return self._occasion.arrive()

    def end(self) -> State:
        """What the tables hold at last; the effect is what it should be."""
        if self.scenario.followed:
            with Wire(run=self._run):
                self.stage.drain()
        self._occasion.effect()
        return self.stage.ground.look()

    def alike(self, value: Any) -> str:
        """The text in which two runs of this play are alike."""
        return likeness(value, self.before)

    def answer(self, outcome: Outcome) -> str:
        """An outcome as text, without the name of the single request that it answered."""
        body = outcome.body
        if isinstance(body, dict):
            body = {name: part for name, part in body.items() if name not in ("instance", "sent", "found")}
        return f"{outcome.status} {self.alike(body)}"

    def check_again(self, again: Outcome, first: Outcome) -> None:
        """A repeat answers as the first did, or as its scenario says."""
        if self.scenario.again:
            assert again.status in self.scenario.again, again
        else:
            assert self.answer(again) == self.answer(first)


_plays: dict[Scenario, Play] = {}


def play(stage: Stage, scenario: Scenario) -> Play:
    """The play of this scenario, which stands on its ground."""
    known = _plays.get(scenario)
    # Each stage has keys of its own, which open nothing that was sealed on another.
    if known is None or (known.stage is not stage and holds_sealed(known.before)):
        known = _plays[scenario] = Play(stage, scenario)
    stage.take_messages()
    known.stage = stage
    known.rewind()
    return known


def undisturbed(play: Play, *, measured: bool = False) -> tuple[Outcome, State, Wire]:
    """One run that nothing disturbs, from the ground: its outcome, what it left, and what it called."""
    play.rewind()
    outcome = play.arrive(Wire(measured=measured))
    wire = play.wire
    return outcome, play.end(), wire
