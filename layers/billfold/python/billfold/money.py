"""Money: integers in a currency's minor unit, never a float (LG-02)."""

from collections.abc import Collection
from dataclasses import dataclass

from billfold import currencies

MAX_AMOUNT_MINOR = 10**12


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in minor units: Money(1250, "USD") is $12.50."""

    amount: int
    currency: str


def is_currency(code: str) -> bool:
    """Whether money of this code can exist: ISO 4217 lists it with a minor unit, or once did."""
    return code in currencies.MINOR_DIGITS


def is_current(code: str, closed: Collection[str] = ()) -> bool:
    """Whether something new may be opened in it: ISO 4217 lists it today, and it is not one of those that a stage has closed
    (codes). What is open goes on, is paid and given back."""
    return is_currency(code) and code not in currencies.WITHDRAWN and code not in closed


def to_text(money: Money) -> str:
    """The amount as people read it: 12.50 USD, 100 JPY, -1.250 KWD."""
    digits = currencies.MINOR_DIGITS[money.currency]
    sign = "-" if money.amount < 0 else ""
    whole, part = divmod(abs(money.amount), 10**digits)
    fraction = f".{part:0{digits}d}" if digits else ""
    return f"{sign}{whole:,}{fraction} {money.currency}"
