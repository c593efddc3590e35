"""How much a top-up may be: a setting such as `1000 JPY=150000`, in whole units of the currency.

The number alone is for every currency without an entry. No currency that cards are charged in has a unit worth more than a few
dollars, so a currency that was forgotten is kept too low, never too high.
"""

import re
from collections.abc import Mapping

from billfold import money
from billfold.cards.card_errors import TopUpTooLarge
from billfold.currencies import MINOR_DIGITS
from billfold.money import Money

_ENTRY = re.compile(r"(?:([A-Z]{3})=)?([1-9][0-9]{0,11})")
OTHERS = ""


def parse(setting: str) -> dict[str, int]:
    """Whole units by currency, and those of all others; ValueError when the setting cannot be read, says something twice, names no
    currency, or says nothing of the others."""
    found: dict[str, int] = {}
    for entry in setting.split():
        match = _ENTRY.fullmatch(entry)
        currency = (match[1] or OTHERS) if match else ""
        if not match or currency in found or not (currency == OTHERS or money.is_currency(currency)):
            raise ValueError(f"not one maximum for one currency: {entry!r}")
        found[currency] = int(match[2])
    if OTHERS not in found:
        raise ValueError("no maximum for the currencies without one of their own")
    return found


def check_amount(amount: Money, maxima: Mapping[str, int]) -> None:
    """TopUpTooLarge for more than is taken at once in this currency."""
    units = maxima.get(amount.currency, maxima[OTHERS])
    most = Money(units * 10 ** MINOR_DIGITS[amount.currency], amount.currency)
    if amount.amount > most.amount:
        raise TopUpTooLarge(most=money.to_text(most), most_minor=most.amount)
