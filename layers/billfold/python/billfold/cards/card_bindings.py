"""Binding a card, and binding it again: what is submitted is checked before any bank is asked (CB-04, CB-08, CB-16). Pure rules."""

from collections.abc import Callable
from dataclasses import dataclass, field

from billfold import card_numbers, cards
from billfold.cards.card_changes import ExpiryUpdated
from billfold.cards.card_errors import UnsupportedIssuer
from billfold.errors import Stale


@dataclass(frozen=True, slots=True)
class Submitted:
    """A number that can be a card's, its brand, and the bank that serves it."""

    number: str = field(repr=False)
    brand: str
    bank: str

    @property
    def last4(self) -> str:
        return self.number[-4:]


def check(typed: str, year: int, month: int, now: int, bank_of: Callable[[str], str | None]) -> Submitted:
    """The card of this number, in which spaces and dashes do not count, and of this expiry; CardInvalid, UnsupportedIssuer."""
    number = typed.replace(" ", "").replace("-", "")
    brand, bank = card_numbers.check_number(number), bank_of(number)
    card_numbers.check_expiry(year, month, now)
    if bank is None:
        raise UnsupportedIssuer("no bank of ours has issued it", "/number")
    return Submitted(number, brand, bank)


def renew(card: cards.Card, year: int, month: int, now: int) -> ExpiryUpdated | None:
    """The change by which a card that its holder binds again gets its later expiry (CB-16); None for one that is not later.

    Stale for a card that is over: since it was looked up, nobody holds it any more.
    """
    if card.state not in cards.OPEN and card.state != "active":
        raise Stale()
    later = (year, month) > (card.expiry_year, card.expiry_month)
    return ExpiryUpdated(at=now, expiry_year=year, expiry_month=month) if later else None
