"""Payment cards: bound by photo, authenticated with the bank (CB-01 … CB-20). Pure rules; a card is the sum of its changes.

    created ──► authenticating ──► challenged ──► active ──► removed
       │              │  ▲             │
       │              ▼  │             │        ends: invalid, declined, expired, cancelled
       │            unknown            │
       └──────────────┴────────────────┴──► …

Only the state machine moves a card to active or to an end (but for the owner's cancelling and removing, and for the deadline
of a card that no machine ended): steps record what the bank said as its `verdict`, and the machine acts on it. A card can pay
while it is active, never before or after (CB-10).
"""

import calendar
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Self, TypeVar

from billfold import bank_currencies, card_numbers, errors
from billfold.cards.card_challenges import CODE_OVER, CODE_TRIES, PAGE_OVER, Challenge
from billfold.cards.card_changes import (
    Activated,
    Answered,
    ApprovedLate,
    Asked,
    Bound,
    CardChange,
    ChallengeSent,
    Checked,
    CodeRefused,
    CodeTried,
    Ended,
    ExpiryUpdated,
    Removed,
    Resealed,
    Withdrawn,
)
from billfold.cards.card_errors import CardNotActive, TooManyCards
from billfold.clock import HOUR, MINUTE, SECOND
from billfold.errors import CardInvalid
from billfold.money import Money

OPEN = frozenset({"created", "authenticating", "challenged", "unknown"})
ENDS = frozenset({"invalid", "declined", "expired", "cancelled", "removed"})
STATES = (*sorted(OPEN), "active", *sorted(ENDS))
MAX_HOLDERS = 3
# How long the bank may take in all (CB-13), and between two asks: 2 s, doubled each time, two minutes at most.
PATIENCE = 15 * MINUTE
FIRST_WAIT, LONGEST_WAIT = 2 * SECOND, 2 * MINUTE
COOL_DOWN = 24 * HOUR
# A machine has ended its card after this time at the latest: the bank's 15 minutes, four codes of five minutes each, 15 minutes for
# a try that the bank did not judge, and more than an hour of retries of the step that ends the card.
MACHINE_TIME = 2 * HOUR
OUT_OF_DATE = "out_of_date"


@dataclass(frozen=True, slots=True, kw_only=True)
class CardSummary:
    """What a card's head tells of it: enough to list it and to pay with it. `token`: what its bank charges it by."""

    card_id: str
    owner: str
    brand: str
    last4: str
    expiry_year: int
    expiry_month: int
    bank: str
    bound_at: int
    state: str = "created"
    token: str = field(default="", repr=False)
    reason: str = ""

    @property
    def expires_at(self) -> int:
        """The instant after the month printed on the card."""
        days = calendar.monthrange(self.expiry_year, self.expiry_month)[1]
        last = datetime(self.expiry_year, self.expiry_month, days, tzinfo=UTC)
        return int(last.timestamp() + 24 * 3600) * SECOND

    def at(self, now: int) -> Self:
        """The card as it counts at an instant: no longer active once the month printed on it is over everywhere on earth."""
        over = self.state == "active" and now >= self.expires_at + 12 * HOUR
        return replace(self, state="expired", reason=OUT_OF_DATE) if over else self


@dataclass(frozen=True, slots=True, kw_only=True)
class Card(CardSummary):
    """A card as its changes left it.

    `fields_sent`: what the bank was asked with, empty before; `asked`: how often it answered or did not; `verdict`: its
    last word; `asked_expiry`: year and month that the bank was asked with, whatever the card was updated to since: the same key is
    the same question.
    """

    device: str
    fingerprint: str
    typed: tuple[str, ...]
    force_challenge: bool
    consent: str
    revision: int = 1
    fields_sent: tuple[str, ...] = ()
    asked: int = 0
    verdict: str = ""
    reference: str = ""
    challenge: Challenge = field(default=Challenge())
    late_reference: str = ""
    withdrawn: bool = False
    asked_expiry: tuple[int, int] | None = None

    @property
    def gives_up_at(self) -> int:
        """When an unanswered bank has had its time."""
        return self.bound_at + PATIENCE

    @property
    def due_at(self) -> int | None:
        """When it ends though no state machine ended it; None: it is no longer open."""
        return self.bound_at + MACHINE_TIME if self.state in OPEN else None


SomeCard = TypeVar("SomeCard", bound=CardSummary)


def new(card_id: str, bound: CardChange) -> Card:
    """The card that its binding makes."""
    assert isinstance(bound, Bound), "a card's first change is its binding"
    return Card(
        card_id=card_id,
        owner=bound.owner,
        device=bound.device,
        brand=bound.brand,
        last4=bound.last4,
        expiry_year=bound.expiry_year,
        expiry_month=bound.expiry_month,
        bank=bound.bank,
        fingerprint=bound.fingerprint,
        typed=tuple(bound.typed),
        force_challenge=bound.force_challenge,
        consent=bound.consent,
        bound_at=bound.at,
    )


def after(card: Card, change: CardChange) -> Card:
    """The card with one more change."""
    changed = replace(card, revision=card.revision + 1)
    match change:
        case ExpiryUpdated():
            return replace(changed, expiry_year=change.expiry_year, expiry_month=change.expiry_month)
        case Checked():
            return replace(changed, state="authenticating")
        case Asked():
            expiry = (card.expiry_year, card.expiry_month)
            return replace(changed, fields_sent=tuple(change.fields_sent), asked_expiry=expiry)
        case Answered():
            return _answered(changed, change)
        case ChallengeSent():
            challenge = replace(card.challenge, sent=card.challenge.sent + 1, sent_at=change.at)
            return replace(changed, state="challenged", challenge=challenge)
        case CodeTried():
            return replace(changed, challenge=replace(card.challenge, tries=card.challenge.tries + 1))
        case CodeRefused():
            return replace(changed, challenge=replace(card.challenge, refused=card.challenge.refused + 1))
        case Activated():
            return replace(changed, state="active")
        case Ended():
            return replace(changed, state=change.state, reason=change.reason or card.reason)
        case Removed():
            return replace(changed, state="removed")
        case ApprovedLate():
            return replace(changed, late_reference=change.reference)
        case Withdrawn():
            return replace(changed, withdrawn=True)
        case Resealed():
            return replace(changed, fingerprint=change.fingerprint)
    raise TypeError(f"no such change: {change!r}")


def _answered(card: Card, answer: Answered) -> Card:
    """What the bank said becomes the verdict; the state machine has yet to act on it (a challenge begins with its code)."""
    state = "unknown" if answer.outcome == "unknown" else "authenticating"
    challenge = replace(card.challenge, way=answer.way or "code") if answer.outcome == "challenge" else card.challenge
    return replace(
        card,
        state=state,
        asked=card.asked + 1,
        verdict=answer.outcome,
        reference=answer.reference or card.reference,
        token=answer.token or card.token,
        reason=answer.reason or card.reason,
        challenge=challenge,
    )


# --------------------------------------------------------------------------------------------------------------- rules


def check_found(card: SomeCard | None, owner: str) -> SomeCard:
    """The card, when it is this owner's; anyone else's does not exist (CB-12)."""
    if card is None or card.owner != owner:
        refusal = errors.NotFound()
        refusal.about = card.card_id if card else ""
        raise refusal
    return card


def check_allowed(wait_seconds: int) -> None:
    """TooManyCards when too many were tried (CB-17)."""
    if wait_seconds:
        raise TooManyCards(retry_after_seconds=wait_seconds)


def begin(card: Card, now: int) -> CardChange | None:
    """What the state machine does first: begin, or end what expired since. None: it is under way or over."""
    if card.state != "created":
        return None
    try:
        card_numbers.check_expiry(card.expiry_year, card.expiry_month, now)
    except CardInvalid:
        return Ended(at=now, state="invalid", reason="expired")
    return Checked(at=now)


def standing(card: Card, now: int) -> str:
    """What the state machine should do now: ask, approved, declined, challenge, expired, or over."""
    if card.state not in OPEN:
        return "over"
    if card.verdict in ("approved", "declined"):
        return card.verdict
    if card.verdict == "challenge":
        if not card.challenge.sent and now >= card.gives_up_at:
            return "expired"
        if card.challenge.way == "redirect":
            return card.challenge.on_page(now)
        if card.challenge.refused >= CODE_TRIES:
            return "declined"
        # A try that the bank has not judged may have been the right one: only the bank knows.
        unjudged = card.challenge.tries > card.challenge.refused
        if card.challenge.sent and now >= card.challenge.expires_at:
            return "ask" if unjudged and now < card.challenge.expires_at + PATIENCE else "declined"
        if card.challenge.tries >= CODE_TRIES:
            return "ask"
        return "challenge"
    return "ask" if now < card.gives_up_at else "expired"


def wait_seconds(card: Card, now: int) -> int:
    """How long the machine waits before it looks again: for a code its whole validity, for the bank longer each time."""
    code = card.challenge
    if card.verdict == "challenge" and code.sent and (now >= code.expires_at or code.tries >= CODE_TRIES):
        # For the bank's word on a try that it has not judged: about as long again as was waited since the code was sent.
        return min(max(FIRST_WAIT, now - code.sent_at), LONGEST_WAIT) // SECOND
    if card.verdict == "challenge":
        until = code.expires_at if code.sent else now + replace(code, sent_at=0).expires_at
        return max(1, -(-(until - now) // SECOND))
    longer = min(FIRST_WAIT << min(max(card.asked - 1, 0), 10), LONGEST_WAIT)
    return max(1, min(longer, card.gives_up_at - now) // SECOND)


def remove(card: Card, now: int) -> CardChange | None:
    """The owner's end of it: an active card is removed, one under way cancelled, one that is over stays so (None)."""
    if card.state == "active":
        return Removed(at=now)
    return Ended(at=now, state="cancelled") if card.state in OPEN else None


def end(card: Card, now: int) -> Ended | None:
    """The state machine's end of it: declined when the bank or the code say so, otherwise expired. None: it is over already."""
    if card.state not in OPEN:
        return None
    if standing(card, now) != "declined":
        waited = card.verdict == "challenge" and card.challenge.way == "redirect" and card.challenge.sent
        return Ended(at=now, state="expired", reason=PAGE_OVER if waited else "")
    # A bank that declines once codes were tried ends the challenge as much as we do: the cool-down follows either way.
    tried = card.verdict == "challenge" or card.challenge.tries
    return Ended(at=now, state="declined", reason=CODE_OVER if tried else "")


def on_deadline(card: Card, now: int) -> Ended | None:
    """The end of a card that its machine has not ended in time: it never started, or was stopped (CB-13). None: not due."""
    return end(card, now) if card.due_at is not None and now >= card.due_at else None


def check_can_pay(card: SomeCard | None, owner: str, amount: Money, now: int) -> SomeCard:
    """The card ready to be charged with this amount: the owner's, active (CB-10), not expired, of a bank that can count it."""
    found = check_found(card, owner).at(now)
    if found.state != "active":
        raise CardNotActive(state=found.state)
    bank_currencies.check_takes(found.bank, amount)
    return found
