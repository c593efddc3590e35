"""How much may be topped up at once, against exact fractions; and what a setting may not say."""

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billfold import bank_currencies
from billfold.cards.card_errors import TopUpTooLarge
from billfold.charges import top_ups
from billfold.currencies import MINOR_DIGITS
from billfold.money import MAX_AMOUNT_MINOR, Money


@settings(max_examples=500, derandomize=True, database=None)
@given(
    st.sampled_from(sorted(MINOR_DIGITS)),
    st.dictionaries(st.sampled_from(sorted(MINOR_DIGITS)), st.integers(1, 10**6), max_size=5),
    st.integers(1, 10**6),
    st.data(),
)
def test_what_is_over_the_maximum_in_whole_units_is_refused_and_nothing_else(currency, named, others, data):
    """Issue 12 F26, LG-02: in every currency, by its own digits; the refusal says how much is taken."""
    maxima = top_ups.parse(" ".join([str(others), *(f"{code}={units}" for code, units in named.items())]))
    most, digits = named.get(currency, others), MINOR_DIGITS[currency]
    edge = most * 10**digits
    amount = data.draw(st.one_of(st.integers(1, MAX_AMOUNT_MINOR), st.integers(max(1, edge - 2), edge + 2)))
    if Fraction(amount, 10**digits) <= most:
        top_ups.check_amount(Money(amount, currency), maxima)
    else:
        with pytest.raises(TopUpTooLarge) as refused:
            top_ups.check_amount(Money(amount, currency), maxima)
        assert refused.value.facts["most_minor"] == edge


@pytest.mark.parametrize(
    ("currency", "most", "minor"), [("USD", "1,000.00 USD", 100_000), ("JPY", "150,000 JPY", 150_000)]
)
def test_who_asks_for_too_much_hears_how_much_it_may_be(currency, most, minor):
    """Issue 12 F26: as people read it, and for programs."""
    with pytest.raises(TopUpTooLarge) as refused:
        top_ups.check_amount(Money(minor + 1, currency), top_ups.parse("1000 JPY=150000"))
    assert refused.value.facts == {"most": most, "most_minor": minor}


def test_every_currency_that_a_bank_takes_has_a_maximum():
    """Issue 12 F26: whoever holds a token chooses the currency."""
    maxima = top_ups.parse("1000 JPY=150000")
    for currency in {code for bank in bank_currencies.BANKS.values() for code in bank} & set(MINOR_DIGITS):
        with pytest.raises(TopUpTooLarge):
            top_ups.check_amount(Money(MAX_AMOUNT_MINOR, currency), maxima)


@pytest.mark.parametrize(
    "setting",
    [
        "",
        "USD=5",
        "1000 2000",
        "1000 USD=5 USD=5",
        "1000 XXX=5",
        "1000 usd=5",
        "0",
        "-1",
        "1e3",
        "1000.00",
        "1000 USD=",
        "１０",
    ],
)
def test_a_setting_that_cannot_be_read_is_no_setting(setting):
    """Issue 12 F26: without a maximum nothing is topped up."""
    with pytest.raises(ValueError, match="maximum"):
        top_ups.parse(setting)
