"""Money: the currency table is ISO 4217's, and amounts read as people write them (LG-02)."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billfold.currencies import MINOR_DIGITS, WITHDRAWN
from billfold.money import MAX_AMOUNT_MINOR, Money, is_currency, is_current, to_text
from infra.pages import currencies


def test_the_committed_table_is_what_iso_4217_says():
    """LG-02: with its digits, every code that is current."""
    assert {code: digits for code, digits in MINOR_DIGITS.items() if is_current(code)} == currencies.listed()


@pytest.mark.parametrize("code", sorted(MINOR_DIGITS))
def test_a_currency_that_a_later_edition_leaves_out_stays_with_its_digits(code):
    """LG-02: money of it may exist; in the new table it is withdrawn, and nothing else is different."""
    today = {name: digits for name, digits in currencies.listed().items() if name != code}
    later: dict[str, Any] = {}
    exec(currencies.source(MINOR_DIGITS, today), later)
    assert later["MINOR_DIGITS"] == MINOR_DIGITS
    assert later["WITHDRAWN"] == WITHDRAWN | {code}


def test_a_currency_that_is_counted_otherwise_is_no_matter_of_a_table():
    """LG-02: stored amounts would mean something else, so somebody must convert them first."""
    with pytest.raises(currencies.DigitsChanged, match="ISK"):
        currencies.source(MINOR_DIGITS, currencies.listed() | {"ISK": 2})


@pytest.mark.parametrize(("code", "digits"), [("BGN", 2), ("HRK", 2), ("BYR", 0), ("ANG", 2), ("ZWL", 2)])
def test_currencies_of_the_last_years_exist_and_are_not_current(code, digits):
    """LG-02: known by heart; BGN went on the first day of 2026."""
    assert MINOR_DIGITS[code] == digits
    assert is_currency(code)
    assert not is_current(code)


@pytest.mark.parametrize(("code", "digits"), [("JPY", 0), ("USD", 2), ("EUR", 2), ("KWD", 3), ("CLF", 4)])
def test_each_currency_has_its_own_number_of_decimals(code, digits):
    """LG-02: known by heart, in case generator and table were wrong together."""
    assert MINOR_DIGITS[code] == digits


@pytest.mark.parametrize("code", ["XAU", "XXX", "XTS", "usd", "US", "", "BTC"])
def test_metals_tests_and_inventions_are_no_currencies(code):
    """Only what has a minor unit can be paid with."""
    assert not is_currency(code)
    assert not is_current(code)


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [
        (1250, "USD", "12.50 USD"),
        (100, "JPY", "100 JPY"),
        (-1250, "KWD", "-1.250 KWD"),
        (5, "USD", "0.05 USD"),
        (-5, "USD", "-0.05 USD"),
        (0, "EUR", "0.00 EUR"),
        (MAX_AMOUNT_MINOR, "USD", "10,000,000,000.00 USD"),
    ],
)
def test_an_amount_is_written_with_its_currency_s_decimals(amount, currency, text):
    """Twelve dollars fifty is 1250, and reads 12.50 USD."""
    assert to_text(Money(amount, currency)) == text


@settings(max_examples=300, derandomize=True, database=None, deadline=None)
@given(st.integers(-MAX_AMOUNT_MINOR, MAX_AMOUNT_MINOR), st.sampled_from(sorted(MINOR_DIGITS)))
def test_no_digit_is_lost_in_the_text(amount, currency):
    """Digits and sign alone give the amount back, to the last minor unit: no float was in between."""
    written, _, code = to_text(Money(amount, currency)).partition(" ")
    assert int(written.replace(",", "").replace(".", "")) == amount
    assert (code, len(written.partition(".")[2])) == (currency, MINOR_DIGITS[currency])
