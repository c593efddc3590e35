"""Changes: what happened to a bill, a card or a charge. Each is immutable and committed by one step; a thing is their sum."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Something that happened. `operation` and `request` identify the request that asked for it, so that a repeat is known."""

    at: int
    operation: str = ""
    request: str = ""
