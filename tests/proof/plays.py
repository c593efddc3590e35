"""How a scenario is played: its set-up once, then as many runs from the same ground as there are calls and faults."""

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.cloud import queues
from tests.proof.ground import State, holds_sealed, likeness
from tests.proof.harness import Harness, Outcome
from tests.proof.wire import ALWAYS, Wire
from tests.world import vault_keys

# What an answer has of its own each time: the request's name, how much a batch came to, how long it is until then.
UNTOLD = ("instance", "sent", "found", "wait_seconds", "retry_after_seconds")


# Half of what a code must wait for before another is sent, the shortest time that a card's set-up tells of.
FRESH_SECONDS = 30


@dataclass(frozen=True)
class Occasion:
    """What a set-up leaves behind: `arrive` delivers the request, message, batch or tick; `effect` asserts what it did."""

    arrive: Callable[..., Outcome]
    effect: Callable[[], None]


@dataclass(frozen=True)
class Scenario:
    """One way through one step.

    status: what it answers. again: what a repeat answers where the step has no idempotency record (empty: the first
    answer, whole). followed: whether queues' followers act before the end is looked at. slow: whether the step computes for
    long, so that another scenario of its meets the rarer troubles. streams: whether its set-up reads the tables' streams.
    vault_keys: the generations listed when it arrives.
    """

    step: str
    case: str
    prepare: Callable[[Harness], Occasion]
    status: int = 200
    again: tuple[int, ...] = ()
    followed: bool = False
    slow: bool = False
    streams: bool = False
    vault_keys: str = "1"

    def __str__(self) -> str:
        return f"{self.step}: {self.case}"


class Play:
    """A scenario on a harness. `wire` holds the calls of the last run. Use `play`, which sets a scenario up only once."""

    def __init__(self, harness: Harness, scenario: Scenario) -> None:
        self.harness, self.scenario = harness, scenario
        self._set_up_at = time.monotonic()
        harness.empty(streams=scenario.streams)
        self._occasion = scenario.prepare(harness)
        queues.forget()
        self.before = harness.ground.look()
        self.wire = Wire()
        self.points: set[str] = set()
        self._run = uuid.uuid4().hex

    @property
    def has_cards(self) -> bool:
        """Whether it stands on what a harness's own keys have sealed or named."""
        return any(table == "cards" for table, _, _ in self.before)

    @property
    def is_stale(self) -> bool:
        """Whether so much time has passed that codes, patience or a wrong PIN's minute may have run out."""
        ages = self.has_cards or any("pin_wrong_at" in item for item in self.before.values())
        return ages and time.monotonic() - self._set_up_at > FRESH_SECONDS

    def rewind(self) -> None:
        """Back to what the set-up left."""
        self.harness.ground.put_back(self.before)
        self._run = uuid.uuid4().hex

    def arrive(self, wire: Wire | None = None) -> Outcome:
        """Deliver it once, over this wire."""
        self.wire = wire or Wire()
        self.wire.run = self._run
        with vault_keys.listed(self.scenario.vault_keys), self.wire:
            return self._occasion.arrive()

    def twin(self, key: str) -> Outcome:
        """Deliver it as another operation would be, under another key where it has one; nobody listens."""
        with vault_keys.listed(self.scenario.vault_keys), Wire(run=uuid.uuid4().hex):
            return self._occasion.arrive(*([key] if key else []))

    def end(self) -> State:
        """What the tables hold at last; the effect is what it should be."""
        if self.scenario.followed:
            with vault_keys.listed(self.scenario.vault_keys), Wire(run=self._run):
                self.harness.drain()
        self._occasion.effect()
        return self.harness.ground.look()

    def alike(self, value: Any) -> str:
        """The text in which two runs of this play are alike."""
        return likeness(value, self.before)

    def answer(self, outcome: Outcome) -> str:
        """An outcome as text, without what each delivery has of its own."""
        body = outcome.body
        if isinstance(body, dict):
            body = {name: part for name, part in body.items() if name not in UNTOLD}
        return f"{outcome.status} {self.alike(body)}"

    def check_again(self, again: Outcome, first: Outcome) -> None:
        """A repeat answers as the first did, or as its scenario says."""
        if self.scenario.again:
            assert again.status in self.scenario.again, again
        else:
            assert self.answer(again) == self.answer(first)


_plays: dict[Scenario, Play] = {}


def play(harness: Harness, scenario: Scenario) -> Play:
    """The play of this scenario, which stands on its ground."""
    known = _plays.get(scenario)
    # Each harness has keys of its own, which open nothing that was sealed on another.
    elsewhere = known is not None and known.harness is not harness
    if known is None or (elsewhere and holds_sealed(known.before)) or (known.has_cards and elsewhere) or known.is_stale:
        known = _plays[scenario] = Play(harness, scenario)
    queues.forget()
    known.harness = harness
    known.rewind()
    return known


def points(play: Play) -> set[str]:
    """The states, as texts in which runs are alike, that an undisturbed run finds at each of its calls."""
    if play.points:
        return play.points

    def look(client: Any, action: str, arguments: dict[str, Any], send: Callable[[], Any]) -> Any:
        play.points.add(play.alike(play.harness.ground.look()))
        return send()

    left = play.harness.ground.look()
    play.rewind()
    play.arrive(Wire(look, times=ALWAYS))
    play.rewind()
    play.harness.ground.put_back(left)
    return play.points


def undisturbed(play: Play, *, measured: bool = False) -> tuple[Outcome, State, Wire]:
    """One run that nothing disturbs, from the ground: its outcome, what it left, and what it called."""
    play.rewind()
    outcome = play.arrive(Wire(measured=measured))
    wire = play.wire
    return outcome, play.end(), wire
