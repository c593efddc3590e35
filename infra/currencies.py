"""Writes the committed table of ISO 4217 currencies from the `iso4217` package (`python -m infra currencies`)."""

import pathlib

TARGET = pathlib.Path(__file__).parent.parent / "layers/billfold/python/billfold/currencies.py"

HEADER = '''"""Currencies with a minor unit, and its decimal digits. Generated from ISO 4217 by `python -m infra currencies`."""

MINOR_DIGITS = {
'''


def table() -> dict[str, int]:
    """Every code that ISO 4217 lists with a number of minor digits (funds and metals have none)."""
    import iso4217

    return {
        entry.code: entry.exponent
        for entry in sorted(iso4217.Currency, key=lambda entry: entry.code)
        if entry.exponent is not None
    }


def source() -> str:
    """The module's text."""
    return HEADER + "".join(f'    "{code}": {digits},\n' for code, digits in table().items()) + "}\n"


def write() -> None:
    """Replace the committed table."""
    TARGET.write_text(source())
