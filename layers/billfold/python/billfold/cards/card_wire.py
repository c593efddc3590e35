"""What goes over the wire about cards and charges. A number never comes out again, and nobody hears which detail was wrong."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from billfold import cards
from billfold.banks import Page
from billfold.cards import Card, CardSummary, card_challenges, card_texts
from billfold.cards.card_bindings import Submitted
from billfold.cards.card_changes import Bound
from billfold.clock import to_text
from billfold.triggers import fingerprints, wire

Number = Annotated[
    str,
    Meta(pattern=r"^[0-9 -]{12,30}(?!\n)$", description="the card number; spaces and dashes do not count"),
    fingerprints.COMPARED,
]
Year = Annotated[int, Meta(ge=2000, le=2100)]
Month = Annotated[int, Meta(ge=1, le=12)]
Phone = Annotated[
    str, Meta(pattern=r"^\+[1-9][0-9]{6,14}(?!\n)$", description="a phone number in E.164, such as +4915155512345")
]
Document = Annotated[
    str, Meta(pattern=r"^[A-Za-z0-9 -]{3,40}(?!\n)$", description="3 to 40 letters, digits, spaces and dashes")
]
# It is kept as it is, so it is too short for a card number.
Consent = Annotated[
    str,
    Meta(pattern=r"^[A-Za-z0-9._-]{1,11}(?!\n)$", description="the version of the terms agreed to, such as 2026-11"),
]
Code = Annotated[str, Meta(pattern=r"^[0-9]{6}(?!\n)$", description="six digits, from the bank"), fingerprints.SEALED]


# Phones say it as ever, and nobody asks them: the photo tells.
Typed = Annotated[
    list[Literal["number", "expiry", "holder"]],
    Meta(max_length=3, description="ignored: `photo` tells", extra_json_schema={"deprecated": True}),
]


class Expiry(wire.Body, frozen=True):
    """What is printed on the card: {"year": 2029, "month": 4}."""

    year: Year
    month: Month


class Person(wire.Body, frozen=True):
    """What the bank checks. The phone's number comes from the device; `phone_typed` says that it was typed instead (CB-06)."""

    name: wire.Name
    document_type: Annotated[
        str, Meta(pattern=r"^[a-z_]{2,30}(?!\n)$", description="a word, such as passport or identity_card")
    ]
    document_number: Document
    phone: Phone
    phone_typed: bool = False


class BindCard(wire.Body, frozen=True):
    """Every field as the owner confirmed it. `photo`: the one that showed them; what it does not show counts as typed (CB-03)."""

    number: Number
    expiry: Expiry
    holder: wire.Name
    person: Annotated[Person, fingerprints.SEALED]
    consent: Consent
    typed: Typed = msgspec.field(default_factory=list)
    photo: wire.Id | None = None


class BankPage(wire.View, frozen=True):
    """Where the owner confirms with the bank: open `url`, or, without one, the bank's SDK with `client_secret`."""

    client_secret: str
    url: str | None = None


class Challenge(wire.View, frozen=True):
    """The bank waits for the owner until `expires_at`. `code`: for the code that it has sent; what is left of tries and resends.
    `redirect`: for a confirmation on its own page, which is in one answer alone (`POST /v1/cards/{card}/challenge/page`)."""

    kind: Literal["code", "redirect"]
    expires_at: str
    tries_left: int | None = None
    resends_left: int | None = None
    resend_at: str | None = None
    page: BankPage | None = None


class CardAnswer(wire.View, frozen=True):
    """`text` is what to show for the state; `fields_sent` names what the bank was asked with."""

    id: str
    state: Annotated[str, wire.one_of(cards.STATES)]
    brand: str
    last4: str
    expiry: Expiry
    bound_at: str
    text: str | None = None
    challenge: Challenge | None = None
    fields_sent: list[str] | None = None


def bound(body: BindCard, submitted: Submitted, **known: Any) -> Bound:
    """A card's first change: what was submitted of it, but for what only the vault keeps, and what else is known."""
    return Bound(
        brand=submitted.brand,
        last4=submitted.last4,
        bank=submitted.bank,
        expiry_year=body.expiry.year,
        expiry_month=body.expiry.month,
        photo=body.photo or "",
        force_challenge=body.person.phone_typed,
        consent=body.consent,
        **known,
    )


def _challenge(sent: card_challenges.Challenge, page: Page | None) -> Challenge:
    until = to_text(sent.expires_at)
    if sent.way == "redirect":
        return Challenge("redirect", until, page=BankPage(page.secret, page.url or None) if page else None)
    resend_at = to_text(sent.sent_at + card_challenges.RESEND_AFTER)
    return Challenge("code", until, sent.tries_left, sent.resends_left, resend_at)


def card(seen: Card, page: Page | None = None) -> CardAnswer:
    """A card as its owner sees it; on the phone that bound it, with the bank's page."""
    awaited = seen.state == "challenged" and seen.challenge.sent > 0
    return msgspec.structs.replace(
        summary(seen, seen.challenge.way),
        challenge=_challenge(seen.challenge, page) if awaited else None,
        fields_sent=list(seen.fields_sent) or None,
    )


def summary(seen: CardSummary, way: str = "code") -> CardAnswer:
    """A card in a list; `way`: how its challenge is answered, which only the card itself knows."""
    return CardAnswer(
        id=seen.card_id,
        state=seen.state,
        brand=seen.brand,
        last4=seen.last4,
        expiry=Expiry(seen.expiry_year, seen.expiry_month),
        bound_at=to_text(seen.bound_at),
        text=card_texts.text(seen.state, seen.brand, seen.last4, seen.reason, way) or None,
    )
