"""Changes: what happened to a bill, a card or a charge. Each is immutable and committed by one step; a thing is their sum.

A noun's changes stand in one module of its own, `<noun>_changes`, below their base. Their names are stored with them, so a class
that is renamed can no longer be read.
"""

import re
import sys
from dataclasses import dataclass
from typing import TypeVar


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Something that happened. `operation` and `request` identify the request that asked for it, so that a repeat is known."""

    at: int
    operation: str = ""
    request: str = ""


ChangeT = TypeVar("ChangeT", bound=Change)


def kinds(base: type[ChangeT]) -> dict[str, type[ChangeT]]:
    """A noun's changes by the names that they are stored under: the classes that stand beside their base, in snake case."""
    beside = vars(sys.modules[base.__module__]).values()
    found = [each for each in beside if isinstance(each, type) and issubclass(each, base) and each is not base]
    return {re.sub(r"(?<=[a-z])(?=[A-Z])", "_", each.__name__).lower(): each for each in found}
