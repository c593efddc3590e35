"""Every scenario recorded once: the calls of its first delivery, with what they cost, and those of a repeat."""

from dataclasses import dataclass

from tests.proof import plays
from tests.proof.harness import Harness
from tests.proof.plays import Scenario, undisturbed
from tests.proof.wire import Call


@dataclass(frozen=True)
class Recording:
    """Calls in order; `signed` are those that others may make by an address that the step signed."""

    first: tuple[Call, ...]
    repeat: tuple[Call, ...]
    signed: tuple[Call, ...]

    @property
    def calls(self) -> tuple[Call, ...]:
        return self.first + self.repeat


_recordings: dict[Scenario, Recording] = {}


def record(harness: Harness, scenario: Scenario) -> Recording:
    """A scenario's recording, made at first use."""
    if scenario not in _recordings:
        play = plays.play(harness, scenario)
        outcome, _, first = undisturbed(play, measured=True)
        assert outcome.status == scenario.status, outcome
        play.arrive()
        _recordings[scenario] = Recording(
            tuple(first.calls), tuple(play.wire.calls), (*first.signed, *play.wire.signed)
        )
    return _recordings[scenario]
