"""Which currencies each bank takes, and how it counts them: in units of its own, which need not be ISO 4217's (LG-02, CB-21).

A currency without a line is not asked of that bank, and an amount that its units cannot say exactly neither: both are refused
before anything is held. Nothing is ever rounded.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import gcd

from billfold.currencies import MINOR_DIGITS
from billfold.errors import AmountNotSupported, CurrencyNotSupported
from billfold.money import Money, to_text


@dataclass(frozen=True, slots=True)
class Unit:
    """How a bank counts a currency: with so many decimals, and only in multiples of so many of these units."""

    decimals: int
    multiple_of: int = 1


# ISO 4217 lists them, but nobody's card is charged in them: funds and units of account.
FUNDS = frozenset({"BOV", "CHE", "CHW", "CLF", "COU", "MXV", "USN", "UYI", "UYW"})
# As ISO 4217 counts, but for one currency as Stripe does, so that a sandbox shows the conversion.
SANDBOX = {code: Unit(digits) for code, digits in MINOR_DIGITS.items() if code not in FUNDS} | {"MGA": Unit(0)}

# https://docs.stripe.com/currencies, "Supported presentment currencies", "Zero-decimal", "Three-decimal" and "Special cases", in
# full, as public copies of that page give it: to be held against the page itself before production. A code that ISO 4217 has given
# up, or counts under another (STD, now STN), stands here as Stripe lists it.
STRIPE_TWO_DECIMALS = (
    "USD AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BWP BYN BZD CAD CDF CHF CNY COP CRC CVE "
    "CZK DKK DOP DZD EGP ETB EUR FJD FKP GBP GEL GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR JMD KES KGS KHR KYD KZT LAK LBP "
    "LKR LRD LSL MAD MDL MKD MMK MNT MOP MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD "
    "RUB SAR SBD SCR SEK SGD SHP SLE SOS SRD STD SZL THB TJS TOP TRY TTD TWD TZS UAH UYU UZS WST XCD XCG YER ZAR ZMW"
)
STRIPE_NO_DECIMALS = "BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF"
STRIPE_THREE_DECIMALS = "BHD JOD KWD OMR TND"
STRIPE_TWO_DECIMALS_THAT_ARE_NOUGHT = "ISK UGX"
STRIPE = {
    **dict.fromkeys(STRIPE_TWO_DECIMALS.split(), Unit(2)),
    **dict.fromkeys(STRIPE_NO_DECIMALS.split(), Unit(0)),
    **dict.fromkeys(STRIPE_THREE_DECIMALS.split(), Unit(3, multiple_of=10)),
    **dict.fromkeys(STRIPE_TWO_DECIMALS_THAT_ARE_NOUGHT.split(), Unit(2, multiple_of=100)),
}

BANKS: Mapping[str, Mapping[str, Unit]] = {"sandbox": SANDBOX, "stripe": STRIPE}


def unit_of(bank: str, currency: str) -> Unit | None:
    """How the bank counts the currency; None when it does not take it."""
    return BANKS.get(bank, {}).get(currency)


def counted(bank: str, money: Money) -> int | None:
    """The amount in the bank's units; None for one that it cannot count exactly, or not at all."""
    unit, digits = unit_of(bank, money.currency), MINOR_DIGITS.get(money.currency)
    if unit is None or digits is None:
        return None
    amount, rest = divmod(money.amount * 10**unit.decimals, 10**digits)
    return amount if not rest and amount % unit.multiple_of == 0 else None


def minor(bank: str, amount: int, currency: str) -> int | None:
    """What the bank counts so, in our minor units; None where they cannot say it exactly."""
    unit, digits = unit_of(bank, currency), MINOR_DIGITS.get(currency)
    if unit is None or digits is None:
        return None
    ours, rest = divmod(amount * 10**digits, 10**unit.decimals)
    return None if rest else ours


def check_takes(bank: str, money: Money) -> None:
    """CurrencyNotSupported, or AmountNotSupported, when the bank could not be asked for exactly this."""
    unit = unit_of(bank, money.currency)
    if unit is None or money.currency not in MINOR_DIGITS:
        raise CurrencyNotSupported(currency=money.currency)
    if counted(bank, money) is None:
        ours, theirs = 10 ** MINOR_DIGITS[money.currency], 10**unit.decimals
        step = unit.multiple_of * ours // gcd(unit.multiple_of * ours, theirs)
        raise AmountNotSupported(step=to_text(Money(step, money.currency)), step_minor=step)
