"""Every currency at every bank: counted exactly, or refused before anything is held (LG-02, CB-21)."""

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billfold import bank_currencies, banks, cards
from billfold.bank_currencies import BANKS, Unit, check_takes, counted, unit_of
from billfold.cards.card_changes import Activated, Asked, Checked
from billfold.currencies import MINOR_DIGITS
from billfold.errors import AmountNotSupported, CurrencyNotSupported, Refusal
from billfold.money import MAX_AMOUNT_MINOR, Money
from tests.rules.card_worlds import BOUND, FIELDS, heard, lived

ACTIVE = lived(Checked(at=BOUND), Asked(at=BOUND, fields_sent=FIELDS), heard("approved"), Activated(at=BOUND))
NO_DECIMALS = "BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF"
THREE_DECIMALS = "BHD JOD KWD OMR TND"
NOT_TAKEN = "IQD LYD CLF UYI UYW CUP IRR KPW SDG STN SYP VES XAD ZWG MRU"

EVERYWHERE = [(bank, currency) for bank in BANKS for currency in sorted(MINOR_DIGITS)]


def refusal(bank: str, amount: int, currency: str) -> Refusal | None:
    try:
        check_takes(bank, Money(amount, currency))
    except Refusal as refused:
        return refused
    return None


def test_every_adapter_has_a_table():
    """CB-21: a new bank takes nothing until it says how it counts."""
    assert set(BANKS) == set(banks.ADAPTERS)
    assert unit_of("another", "USD") is None


@settings(max_examples=1_000)
@given(st.sampled_from(EVERYWHERE), st.integers(1, MAX_AMOUNT_MINOR))
def test_an_amount_is_counted_to_the_last_unit_or_refused(place, amount):
    """LG-02: the bank's units say the same money as ours, as fractions of the whole; what they cannot say is refused."""
    bank, currency = place
    unit, whole = unit_of(bank, currency), Fraction(amount, 10 ** MINOR_DIGITS[currency])
    theirs = counted(bank, Money(amount, currency))
    if unit is None:
        assert theirs is None
        assert isinstance(refusal(bank, amount, currency), CurrencyNotSupported)
        return
    exact = whole * 10**unit.decimals / unit.multiple_of
    assert theirs == (exact * unit.multiple_of if exact.denominator == 1 else None)
    assert isinstance(refusal(bank, amount, currency), type(None) if theirs else AmountNotSupported)


@pytest.mark.parametrize(("bank", "currency"), EVERYWHERE)
def test_a_refused_amount_says_the_least_step_that_is_taken(bank, currency):
    """XX-02: the user can follow it: the step is taken, and nothing that is less."""
    if unit_of(bank, currency) is None:
        return
    refused = refusal(bank, 1, currency)
    step = refused.facts["step_minor"] if refused else 1
    assert refusal(bank, step, currency) is None
    assert all(refusal(bank, less, currency) for less in range(1, step))
    assert not refused or refused.facts["step"] in refused.problem()["detail"]


# Known by heart, and not from the table: Stripe's pages on zero-decimal, three-decimal and special currencies.
@pytest.mark.parametrize(
    ("currency", "unit"),
    [
        *((code, Unit(0)) for code in NO_DECIMALS.split()),
        *((code, Unit(3, 10)) for code in THREE_DECIMALS.split()),
        *((code, Unit(2, 100)) for code in ("ISK", "UGX")),
        *((code, Unit(2)) for code in ("USD", "EUR", "HUF", "TWD", "LAK", "MMK")),
        *((code, None) for code in NOT_TAKEN.split()),
    ],
)
def test_stripe_counts_as_its_documentation_says(currency, unit):
    """LG-02: MGA without decimals, ISK and UGX with two that are nought; what it does not list it is not asked for."""
    assert unit_of("stripe", currency) == unit


def test_no_two_groups_of_stripe_s_name_one_currency():
    """A code in two groups would be counted as the later says."""
    groups = (
        bank_currencies.STRIPE_TWO_DECIMALS,
        bank_currencies.STRIPE_NO_DECIMALS,
        bank_currencies.STRIPE_THREE_DECIMALS,
        bank_currencies.STRIPE_TWO_DECIMALS_THAT_ARE_NOUGHT,
    )
    assert sum(len(group.split()) for group in groups) == len(bank_currencies.STRIPE)


def test_a_card_cannot_pay_what_its_bank_cannot_count():
    """CB-21: refused by the card's own bank."""
    assert cards.check_can_pay(ACTIVE, "usr_1", Money(1_200, "MGA"), BOUND) is ACTIVE
    with pytest.raises(AmountNotSupported):
        cards.check_can_pay(ACTIVE, "usr_1", Money(1_250, "MGA"), BOUND)
    with pytest.raises(CurrencyNotSupported):
        cards.check_can_pay(ACTIVE, "usr_1", Money(1_250, "CLF"), BOUND)
