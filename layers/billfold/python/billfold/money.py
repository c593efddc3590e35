"""Money: integers in a currency's minor unit, never a float (LG-02)."""

from dataclasses import dataclass

from billfold.currencies import MINOR_DIGITS

MAX_AMOUNT_MINOR = 10**12


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in minor units: Money(1250, "USD") is $12.50."""

    amount: int
    currency: str


def is_currency(code: str) -> bool:
    """Whether ISO 4217 lists the code as money that has a minor unit."""
    return code in MINOR_DIGITS


def to_text(money: Money) -> str:
    """The amount as people read it: 12.50 USD, 100 JPY, -1.250 KWD."""
    digits = MINOR_DIGITS[money.currency]
    sign = "-" if money.amount < 0 else ""
    whole, part = divmod(abs(money.amount), 10**digits)
    fraction = f".{part:0{digits}d}" if digits else ""
    return f"{sign}{whole:,}{fraction} {money.currency}"
