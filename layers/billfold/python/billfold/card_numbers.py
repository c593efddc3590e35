"""What a card's number and expiry say by themselves: brand, check digit, and whether it can still be good (CB-04)."""

import re
from collections.abc import Collection
from datetime import UTC, datetime

from billfold.clock import HOUR, SECOND
from billfold.errors import CardInvalid

Brand = tuple[str, str, str, Collection[int]]
# By BIN: the first digits from, to (as many as are written), the lengths of the brand's numbers. The longest prefix wins.
BRANDS: tuple[Brand, ...] = (
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
    ("UnionPay", "810", "817", range(16, 20)),
    ("Diners Club", "300", "305", range(14, 20)),
    ("Diners Club", "36", "36", range(14, 20)),
    ("Diners Club", "38", "39", range(14, 20)),
    ("Maestro", "50", "50", range(12, 20)),
    ("Maestro", "56", "58", range(12, 20)),
    ("Maestro", "6304", "6304", range(12, 20)),
    ("Maestro", "6390", "6390", range(12, 20)),
    ("Maestro", "67", "67", range(12, 20)),
)
# Schemes of one country, some within the ranges of the above. Known by name, so that their cards are called cards of another
# bank, not mistyped numbers.
NATIONAL_BRANDS: tuple[Brand, ...] = (
    ("Mir", "2200", "2204", range(16, 20)),
    ("Borica", "2205", "2205", (16,)),
    ("Elo", "401178", "401179", (16,)),
    ("Elo", "431274", "431274", (16,)),
    ("Elo", "438935", "438935", (16,)),
    ("Elo", "451416", "451416", (16,)),
    ("Elo", "457393", "457393", (16,)),
    ("Elo", "457631", "457632", (16,)),
    ("Elo", "504175", "504175", (16,)),
    ("Elo", "506699", "506778", (16,)),
    ("Elo", "509000", "509999", (16,)),
    ("Elo", "627780", "627780", (16,)),
    ("Elo", "636297", "636297", (16,)),
    ("Elo", "636368", "636369", (16,)),
    ("Elo", "650031", "650051", (16,)),
    ("Elo", "650405", "650439", (16,)),
    ("Elo", "650485", "650598", (16,)),
    ("Elo", "650700", "650727", (16,)),
    ("Elo", "650901", "650978", (16,)),
    ("Elo", "651652", "651679", (16,)),
    ("Elo", "655000", "655058", (16,)),
    ("Verve", "506099", "506198", (16, 18, 19)),
    ("Verve", "507865", "507964", (16, 18, 19)),
    ("Verve", "650002", "650027", (16, 18, 19)),
    ("RuPay", "508500", "508999", (16,)),
    ("RuPay", "606985", "608500", (16,)),
    ("RuPay", "652150", "653149", (16,)),
    ("RuPay", "817200", "820199", (16,)),
    ("Dankort", "5019", "5019", (16,)),
    ("Mada", "504300", "504300", (16,)),
    ("Mada", "508160", "508160", (16,)),
    ("Mada", "585265", "585265", (16,)),
    ("Mada", "588845", "588851", (16,)),
    ("Mada", "588982", "588983", (16,)),
    ("Mada", "589005", "589005", (16,)),
    ("Mada", "589206", "589206", (16,)),
    ("Mada", "604906", "604906", (16,)),
    ("Mada", "605141", "605141", (16,)),
    ("Mada", "636120", "636120", (16,)),
    ("Mada", "968201", "968211", (16,)),
    ("Hipercard", "606282", "606282", (16,)),
    ("Meeza", "507803", "507810", (16,)),
    ("Humo", "9860", "9860", (16,)),
    ("UzCard", "8600", "8600", (16,)),
    ("Napas", "9704", "9704", (16, 19)),
    ("Troy", "9792", "9792", (16,)),
)
# No card is issued for longer.
LATEST_EXPIRY_YEARS = 20


def luhn(number: str) -> bool:
    """Whether the check digit fits (ISO/IEC 7812-1)."""
    doubled = (int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(number)))
    return sum(digit // 10 + digit % 10 for digit in doubled) % 10 == 0


def brand(number: str) -> str | None:
    """The brand that a number's first digits and length say; None for none that we know."""
    return _best(number, (*BRANDS, *NATIONAL_BRANDS))[1]


def national_digits(number: str) -> int:
    """By how many first digits a number is told to be of one country's scheme; 0: it is not."""
    digits, found = _best(number, NATIONAL_BRANDS)
    return digits if found == brand(number) else 0


def _best(number: str, brands: tuple[Brand, ...]) -> tuple[int, str | None]:
    fits = [
        (len(low), name)
        for name, low, high, lengths in brands
        if low <= number[: len(low)] <= high and len(number) in lengths
    ]
    return max(fits, default=(0, None))


def plausible(number: str) -> bool:
    """Whether these digits could be a card's number: length, brand and check digit."""
    return 12 <= len(number) <= 19 and luhn(number) and brand(number) is not None


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
    if (year, month) < (today.year, today.month):
        raise CardInvalid("this card has expired", "/expiry")
    if (year, month) > (today.year + LATEST_EXPIRY_YEARS, 12):
        raise CardInvalid("no card is good for so long: look at its expiry again", "/expiry")
