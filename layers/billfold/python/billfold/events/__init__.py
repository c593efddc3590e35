"""Events: what a change means to those who are told of it. Names follow the states people see.

A noun's module `<noun>_stream` makes the events of its changes, and lists their names as `EVENTS`, which the contract collects.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from billfold.clock import HOUR

# A change comes again for a day from its stream, and for two weeks each from its queue and the dead letters.
TOLD_KEPT = 35 * 24 * HOUR
# What happens to users and merchants, told by the steps that do it.
OutboxKind = Literal[
    "device.registered",
    "device.removed",
    "pin.set",
    "pin.changed",
    "pin.wrong",
    "pin.locked",
    "user.suspended",
    "user.resumed",
    "merchant.created",
    "merchant.suspended",
    "merchant.resumed",
    "terminal.registered",
    "terminal.revoked",
]


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened, for one audience (a user or a merchant). `change` is the same for every delivery of it."""

    change: str
    audience: str
    kind: str
    about: str
    at: int
    facts: dict[str, Any]


def names(noun: str, kinds: Iterable[str], but: Mapping[tuple[str, str], str]) -> dict[tuple[str, str], str]:
    """What each kind of a noun's changes is told as: `<noun>.<kind>`, but for the kinds that `but` names.

    The keys are the change's kind, and the state that it led to where one kind can lead to several.
    """
    otherwise = {kind for kind, _ in but}
    return {(kind, ""): f"{noun}.{kind}" for kind in kinds if kind not in otherwise} | dict(but)
