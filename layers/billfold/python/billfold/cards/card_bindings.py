"""What is submitted when a card is bound, checked before any bank is asked (CB-04, CB-08). Pure rules."""

from collections.abc import Callable
from dataclasses import dataclass, field

from billfold import card_numbers
from billfold.cards.card_errors import UnsupportedIssuer


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
