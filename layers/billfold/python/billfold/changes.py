"""Changes: what happened to a bill, a card or a charge. Each is immutable and committed by one step; a thing is their sum.

A noun's changes stand in one module of its own, `<noun>_changes`, below their base. Their names are stored with them, so a class
that is renamed can no longer be read.
"""

import re
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import reduce
from typing import TypeVar


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Something that happened. `operation` and `request` identify the request that asked for it, so that a repeat is known."""

    at: int
    operation: str = ""
    request: str = ""

    @classmethod
    def kind(cls) -> str:
        """The name under which it is stored: its class's, in snake case."""
        return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", cls.__name__).lower()


ThingT = TypeVar("ThingT")
ChangeT = TypeVar("ChangeT", bound=Change)


def kinds(base: type[ChangeT]) -> dict[str, type[ChangeT]]:
    """A noun's changes by their kinds: the classes that stand beside their base and follow from it."""
    beside = vars(sys.modules[base.__module__]).values()
    return {one.kind(): one for one in beside if isinstance(one, type) and issubclass(one, base) and one is not base}


def rebuild(
    new: Callable[[str, ChangeT], ThingT],
    after: Callable[[ThingT, ChangeT], ThingT],
    thing_id: str,
    changes: Iterable[ChangeT],
) -> ThingT:
    """The thing that these changes, from its first on, add up to, by its noun's rules."""
    first, *others = changes
    return reduce(after, others, new(thing_id, first))
