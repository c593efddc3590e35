"""Which bank serves a card, by its first digits (CB-08): a setting such as `4=sandbox 34=sandbox 2=stripe`."""

import os
import re
from collections.abc import Mapping

from billfold import card_numbers

_ENTRY = re.compile(r"(\d{1,8})=([a-z]+)", re.ASCII)


def parse(setting: str) -> dict[str, str]:
    """Bank by prefix; ValueError when the setting cannot be read or says one prefix twice."""
    found: dict[str, str] = {}
    for entry in setting.split():
        match = _ENTRY.fullmatch(entry)
        if not match or match[1] in found:
            raise ValueError(f"not one bank for one prefix: {entry!r}")
        found[match[1]] = match[2]
    return found


def serving(banks: Mapping[str, str], number: str) -> str | None:
    """The bank with the longest prefix of this number; None when nobody serves it (UNSUPPORTED_ISSUER).

    One country's scheme lies within the ranges of the great ones, which a short prefix means: it needs one as long as its own.
    """
    for length in range(len(number), max(1, card_numbers.national_digits(number)) - 1, -1):
        if bank := banks.get(number[:length]):
            return bank
    return None


def bank_of(number: str) -> str | None:
    """The bank that serves this number on this stage, by BILLFOLD_ISSUERS."""
    return serving(parse(os.environ["BILLFOLD_ISSUERS"]), number)


def banks() -> list[str]:
    """Every bank that serves anybody on this stage."""
    return sorted(set(parse(os.environ["BILLFOLD_ISSUERS"]).values()))
