"""Writes the committed tables of ISO 4217 currencies from the `iso4217` package (`python -m infra currencies`).

What the committed table has once listed stays, with its digits: money of it may exist. It began with every code of ISO's
editions since March 2014.
"""

from billfold.currencies import MINOR_DIGITS
from infra.pages import Pages
from infra.plan.stages import ROOT

HEADER = '''"""Currencies with a minor unit, and its decimal digits. Generated from ISO 4217 by `python -m infra currencies`.

`MINOR_DIGITS` has every currency in which money can exist; it only grows. In those of `WITHDRAWN`, which ISO 4217 lists no more,
nothing new is opened.
"""

MINOR_DIGITS = {
'''


class DigitsChanged(Exception):
    """ISO 4217 counts a currency otherwise than before: amounts that are stored would mean something else."""


def listed() -> dict[str, int]:
    """Every code that ISO 4217 lists today with a number of minor digits (funds and metals have none)."""
    import iso4217

    return {entry.code: entry.exponent for entry in iso4217.Currency if entry.exponent is not None}


def source(known: dict[str, int], today: dict[str, int]) -> str:
    """The module's text, from the table as it was and today's; DigitsChanged when they contradict each other."""
    if changed := [code for code in known.keys() & today.keys() if known[code] != today[code]]:
        raise DigitsChanged(", ".join(sorted(changed)))
    digits = dict(sorted((known | today).items()))
    lines = "".join(f'    "{code}": {number},\n' for code, number in digits.items())
    gone = "".join(f'        "{code}",\n' for code in digits if code not in today)
    return f"{HEADER}{lines}}}\n\nWITHDRAWN = frozenset(\n    {{\n{gone}    }}\n)\n"


def pages() -> Pages:
    """The committed table as it would be today."""
    return {ROOT / "layers/billfold/python/billfold/currencies.py": source(MINOR_DIGITS, listed())}
