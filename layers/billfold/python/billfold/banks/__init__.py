"""The bank port: what Billfold asks of a bank, whoever the bank is.

    authenticate ──→ approved (a token to charge) | declined | challenge | unknown
    challenge    ──→ send_challenge, answer_challenge ──→ approved | declined | challenge (a wrong code) | unknown
                     or, on the bank's own page, challenge tells how it stands
    approved     ──→ charge, refund; withdraw takes the approval itself back

A bank that does not answer in time, cannot be reached, fails or answers what cannot be read is *unknown*: never an
exception and never a success. Each call is one attempt, with an idempotency key of ours: asking again with the same key
does nothing twice, and `status` tells what became of it. Nothing here shows a card number, code or token when printed.
Amounts are ours, in minor units; what a bank lists is in its own (`bank_currencies`).
"""

import importlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol, cast

CONNECT_SECONDS, READ_SECONDS = 1.0, 3.0
# How old a callback's signature may be, and how far ahead its clock.
CALLBACK_TOLERANCE_SECONDS = 300
ADAPTERS = ("sandbox", "stripe")

_REASON = re.compile(r"[A-Za-z_.-]{0,60}")
# What ids of banks and ours look like; nothing else of a bank's goes into a message, a key or a row's address.
_REFERENCE = re.compile(r"[A-Za-z0-9_-]{1,255}")

Outcome = Literal["approved", "declined", "challenge", "unknown", "absent"]
PaymentOutcome = Literal["charged", "refunded", "declined", "unknown", "absent"]


class BankUnknown(KeyError):
    """No adapter has this name."""


@dataclass(frozen=True, slots=True)
class Authentication:
    """Whom and which card the bank is to check. `card_id` is our reference for it; a typed phone number sets
    `force_challenge` (CB-06). Expiry in full years and months from 1 to 12; the phone in E.164."""

    card_id: str
    number: str = field(repr=False)
    expiry_year: int = field(repr=False)
    expiry_month: int = field(repr=False)
    holder: str = field(repr=False)
    name: str = field(repr=False)
    document_type: str
    document_number: str = field(repr=False)
    phone: str = field(repr=False)
    force_challenge: bool


@dataclass(frozen=True, slots=True)
class Page:
    """Where the holder confirms with the bank itself: its address (empty: only the bank's SDK opens it) and what opens it. Both
    are for the holder's phone alone."""

    url: str = field(repr=False)
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a bank says of a card.

    reference: the bank's own id of this authentication. token: what charges are made with, once approved. reason: for
    operations, never shown to users (`details_mismatch`, `expired_card` …). tries_left: wrong codes that are still allowed.
    page: of a challenge that no code answers.
    `absent` comes from `status` alone: the bank never heard of the operation.
    """

    outcome: Outcome
    reference: str = ""
    token: str = field(default="", repr=False)
    reason: str = ""
    tries_left: int | None = None
    page: Page | None = field(default=None, repr=False)

    @property
    def way(self) -> str:
        """How a challenge is answered: by a code, or on a page of the bank's (redirect)."""
        return "" if self.outcome != "challenge" else "redirect" if self.page else "code"


@dataclass(frozen=True, slots=True)
class Payment:
    """What a bank says of a charge or a refund. reference: the bank's own id of it. reason: for operations."""

    outcome: PaymentOutcome
    reference: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Listed:
    """A line of the bank's list: `key` is the idempotency key that we charged with, `amount` in the bank's own units, `at` the
    bank's instant."""

    key: str
    reference: str
    kind: Literal["charge", "refund"]
    amount: int
    currency: str
    at: int


@dataclass(frozen=True, slots=True)
class TakenBack:
    """What the bank has taken back for a dispute and has not returned; in our minor units (None: they cannot say it), of a
    currency that need not be the charge's."""

    dispute: str
    amount: int | None
    currency: str


@dataclass(frozen=True, slots=True)
class Callback:
    """What a bank tells of its own accord, possibly more than once. `about` is our id that it was given: a card's or a
    charge's, and empty when it tells nothing that concerns us; `event_id` is the same for every copy. Each is a reference
    (`reference_of`)."""

    kind: Literal["authentication", "payment"]
    about: str
    reference: str
    verdict: Verdict | None
    payment: Payment | None
    event_id: str


def reason(said: object) -> str:
    """A bank's reason as it may be kept: a word of its own, `unreadable` for a sentence, which may quote what it was sent."""
    text = str(said or "")
    return text if _REASON.fullmatch(text) else "unreadable"


def reference_of(said: object) -> str:
    """A bank's id of something, or ours that it repeats; empty for what is none."""
    return said if isinstance(said, str) and _REFERENCE.fullmatch(said) else ""


class Bank(Protocol):
    """A bank. `key` is the operation's idempotency key, of 1 to 255 visible ASCII characters."""

    @property
    def name(self) -> str: ...

    @property
    def fields_sent(self) -> tuple[str, ...]:
        """What `authenticate` sends of a card and its holder, by name, for the record (CB-07)."""
        ...

    def authenticate(self, key: str, asked: Authentication) -> Verdict:
        """Ask whether this card is this person's."""
        ...

    def send_challenge(self, key: str, reference: str) -> Verdict:
        """Have the bank send a (new) code: `challenge` when it is on its way."""
        ...

    def answer_challenge(self, key: str, reference: str, code: str) -> Verdict:
        """Give the bank the code; `challenge` with `tries_left` when it was wrong."""
        ...

    def challenge(self, key: str, reference: str) -> Verdict:
        """How the authentication that was asked with this key stands, and the page while the holder has not confirmed."""
        ...

    def charge(self, key: str, token: str, amount: int, currency: str, about: str) -> Payment:
        """Take money from the card behind a token; `about` is our id of the charge. Declined when the bank cannot count it."""
        ...

    def refund(self, key: str, reference: str, amount: int, currency: str, about: str) -> Payment:
        """Give back a charge, or part of it; `about` is our id of the refund. Declined when the bank cannot count it."""
        ...

    def withdraw(self, key: str, reference: str) -> Payment:
        """Take an approval back, or keep one from coming (CB-14): `refunded`."""
        ...

    def status(self, key: str, asked_of: str = "") -> Verdict | Payment:
        """What became of the operation that was asked with this key; `asked_of` is the token that it charged or the reference
        that it gave back, empty for an authentication, for banks that list by those alone. `absent` is a Verdict: nothing
        is known of its kind; so is `unknown`, unless the bank says that a payment is under way."""
        ...

    def taken_back(self, reference: str) -> list[TakenBack]:
        """What the bank has taken back of a charge by now, one a dispute. Unavailable when it does not answer."""
        ...

    def charges(self, since: int, until: int, cursor: str) -> tuple[list[Listed], str]:
        """A page of the charges and refunds made at or after `since` and before `until`, in the bank's order, and the next
        page's cursor (empty: it was the last). Unavailable when the bank does not answer."""
        ...

    def callback(self, headers: Mapping[str, str], raw_body: str, now: int) -> Callback:
        """A callback, once its signature is verified; CallbackRefused for one that is missing, wrong or stale."""
        ...


def bank(name: str) -> Bank:
    """The adapter of this name, imported only now; BankUnknown when there is none."""
    if name not in ADAPTERS:
        raise BankUnknown(name)
    return cast(Bank, importlib.import_module(f"billfold.banks.{name}").adapter())
