"""What a card's number and expiry say by themselves: brand, check digit, and whether it can still be good (CB-04)."""

import re
from datetime import UTC, datetime

from billfold.card_errors import CardInvalid
from billfold.clock import HOUR, SECOND

# By BIN: the first digits from, to (as many as are written), the lengths of the brand's numbers. The longest prefix wins.
BRANDS = (
    ("Visa", "4", "4", (13, 16, 19)),
    ("Mastercard", "51", "55", (16,)),
    ("Mastercard", "2221", "2720", (16,)),
    ("American Express", "34", "34", (15,)),
    ("American Express", "37", "37", (15,)),
    ("Discover", "6011", "6011", range(16, 20)),
    ("Discover", "644", "649", range(16, 20)),
    ("Discover", "65", "65", range(16, 20)),
    ("JCB", "3528", "3589", range(16, 20)),
    ("UnionPay", "62", "62", range(16, 20)),
    ("Diners Club", "300", "305", range(14, 20)),
    ("Diners Club", "36", "36", range(14, 20)),
    ("Diners Club", "38", "39", range(14, 20)),
    ("Maestro", "50", "50", range(12, 20)),
    ("Maestro", "56", "58", range(12, 20)),
    ("Maestro", "6304", "6304", range(12, 20)),
    ("Maestro", "6759", "6763", range(12, 20)),
)
# No card is issued for longer.
LATEST_EXPIRY_YEARS = 20


def luhn(number: str) -> bool:
    """Whether the check digit fits (ISO/IEC 7812-1)."""
    doubled = (int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(number)))
    return sum(digit // 10 + digit % 10 for digit in doubled) % 10 == 0


def brand(number: str) -> str | None:
    """The brand that a number's first digits and length say; None for none that we know."""
    fits = [
        (len(low), name)
        for name, low, high, lengths in BRANDS
        if low <= number[: len(low)] <= high and len(number) in lengths
    ]
    return max(fits)[1] if fits else None


def check_number(number: str) -> str:
    """The brand; CardInvalid unless length, brand and check digit fit (CB-04)."""
    found = brand(number) if re.fullmatch(r"[0-9]{12,19}", number) else None
    if found is None or not luhn(number):
        raise CardInvalid("this is not a card number", "/number")
    return found


def check_expiry(year: int, month: int, now: int) -> None:
    """CardInvalid for a month that is over everywhere on earth, or further ahead than any card (CB-04)."""
    # It is still the month before, up to twelve hours, west of Greenwich.
    today = datetime.fromtimestamp((now - 12 * HOUR) // SECOND, UTC)
    if not (today.year, today.month) <= (year, month) <= (today.year + LATEST_EXPIRY_YEARS, 12):
        raise CardInvalid("this card has expired", "/expiry")
