"""What can happen to a card: its changes, each immutable, each committed by one step. `cards.after` adds one up.

None carries a number, a code, or anything of a person: those are in the vault alone (CB-18).
"""

from dataclasses import dataclass, field

from billfold.changes import Change


@dataclass(frozen=True, slots=True, kw_only=True)
class CardChange(Change):
    """What happened to a card."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound(CardChange):
    """The owner submitted it, consenting to this version of the terms (CB-20).

    `typed`: which fields are not as the photo that was named shows them (CB-03; until `photo` was recorded, as the phone said);
    `force_challenge`: the phone number was typed (CB-06).
    """

    owner: str
    device: str
    brand: str
    last4: str
    expiry_year: int
    expiry_month: int
    bank: str
    fingerprint: str
    typed: list[str]
    force_challenge: bool
    consent: str
    photo: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpiryUpdated(CardChange):
    """The same card came again with a later expiry (CB-16)."""

    expiry_year: int
    expiry_month: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked(CardChange):
    """The state machine has begun with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked(CardChange):
    """The bank is about to be asked, with exactly these fields (CB-07)."""

    fields_sent: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered(CardChange):
    """What the bank said, or `unknown` when it did not; `by` the way it came: asked, code or callback; `way`, of a challenge, how
    it is answered: by a code (also where an earlier version said nothing) or a redirect."""

    outcome: str
    by: str
    reference: str = ""
    token: str = field(default="", repr=False)
    reason: str = ""
    way: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChallengeSent(CardChange):
    """The bank is about to send a code, the first or a resend (CB-09); or, by redirect, its page waits for the owner."""

    way: str = "code"


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeTried(CardChange):
    """A code is about to be put to the bank; counted before, so that no crash and no race gives a sixth try (CB-09)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeRefused(CardChange):
    """The bank says that the code of the try that this number names was wrong."""

    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Activated(CardChange):
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended(CardChange):
    """It will never pay: invalid, declined, expired or cancelled. `reason` is for operations."""

    state: str
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Removed(CardChange):
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovedLate(CardChange):
    """The bank approved what was over already; it is withdrawn there (CB-14)."""

    reference: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawn(CardChange):
    """The bank took its approval back at our word."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resealed(CardChange):
    """The vault sealed it anew, under a newer generation of keys."""

    fingerprint: str
