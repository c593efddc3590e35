"""A card's number and expiry, at every edge: brands and lengths, the check digit, and the month printed on it (CB-04)."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billfold import card_numbers
from billfold.banks import issuers
from billfold.errors import CardInvalid

# By the first four digits, from and to: another way to write the same table down, so that a slip in one is seen.
ISSUED = [
    (2221, 2720, "Mastercard", {16}),
    (3000, 3059, "Diners Club", set(range(14, 20))),
    (3400, 3499, "American Express", {15}),
    (3528, 3589, "JCB", set(range(16, 20))),
    (3600, 3699, "Diners Club", set(range(14, 20))),
    (3700, 3799, "American Express", {15}),
    (3800, 3999, "Diners Club", set(range(14, 20))),
    (4000, 4999, "Visa", {13, 16, 19}),
    (5000, 5099, "Maestro", set(range(12, 20))),
    (5100, 5599, "Mastercard", {16}),
    (5600, 5899, "Maestro", set(range(12, 20))),
    (6011, 6011, "Discover", set(range(16, 20))),
    (6200, 6299, "UnionPay", set(range(16, 20))),
    (6304, 6304, "Maestro", set(range(12, 20))),
    (6440, 6599, "Discover", set(range(16, 20))),
    (6390, 6390, "Maestro", set(range(12, 20))),
    (6700, 6799, "Maestro", set(range(12, 20))),
    (8100, 8179, "UnionPay", set(range(16, 20))),
    # Schemes of one country, some within the ranges above.
    (2200, 2204, "Mir", set(range(16, 20))),
    (2205, 2205, "Borica", {16}),
    (5019, 5019, "Dankort", {16}),
    (5061, 5061, "Verve", {16, 18, 19}),
    (5085, 5089, "RuPay", {16}),
    (5090, 5099, "Elo", {16}),
    (6070, 6084, "RuPay", {16}),
    (6522, 6530, "RuPay", {16}),
    (8172, 8201, "RuPay", {16}),
    (8600, 8600, "UzCard", {16}),
    (9704, 9704, "Napas", {16, 19}),
    (9792, 9792, "Troy", {16}),
    (9860, 9860, "Humo", {16}),
]
# Where a scheme's range begins or ends within these four digits, for a number that goes on with noughts.
WITHIN = {5043: "Mada", 6085: "RuPay", 6531: "RuPay", **dict.fromkeys((5067, 6505, 6507, 6550), "Elo")}
DOUBLED = [0, 2, 4, 6, 8, 1, 3, 5, 7, 9]
numbers = st.text("0123456789", min_size=2, max_size=19)


def fits(number: str) -> bool:
    """The check digit by the table of doubled digits, from the right."""
    total, double = 0, False
    for digit in number[::-1]:
        total += DOUBLED[int(digit)] if double else int(digit)
        double = not double
    return total % 10 == 0


def completed(body: str) -> str:
    """The body with the digit that makes it valid."""
    return next(body + digit for digit in "0123456789" if fits(body + digit))


def instant(*moment: int, hours_west: int = 0) -> int:
    zone = timezone(timedelta(hours=-hours_west))
    return int(datetime(*moment, tzinfo=zone).timestamp() * 1_000)


def good(year: int, month: int, now: int) -> bool:
    try:
        card_numbers.check_expiry(year, month, now)
    except CardInvalid:
        return False
    return True


# --------------------------------------------------------------------------------------------------------------- brands


@pytest.mark.parametrize("length", range(10, 22))
def test_every_bin_of_every_length_has_the_brand_that_the_schemes_gave_it(length):
    """CB-04: all ten thousand beginnings; one past an edge, or one digit too many, is another brand's or nobody's."""
    expected = dict.fromkeys(range(10_000))
    for low, high, brand, lengths in ISSUED:
        if length in lengths:
            expected |= dict.fromkeys(range(low, high + 1), brand)
    expected |= WITHIN if length == 16 else {}
    expected |= {5079: "Verve"} if length in (16, 18, 19) else {}
    assert {bin4: card_numbers.brand(f"{bin4:04d}".ljust(length, "0")) for bin4 in expected} == expected


def test_a_number_of_fewer_digits_than_a_prefix_has_no_brand():
    """CB-04: nothing is guessed from a beginning."""
    assert [card_numbers.brand(text) for text in ("", "4", "222", "601")] == [None] * 4


@pytest.mark.parametrize(("low", "high", "_", "lengths"), ISSUED)
def test_a_number_with_the_right_digits_and_check_digit_is_accepted(low, high, _, lengths):
    """CB-04: at both ends of each range, at every length."""
    for bin4 in (low, high):
        for length in lengths:
            *_, expected = (name for first, last, name, all in ISSUED if first <= bin4 <= last and length in all)
            assert card_numbers.check_number(completed(str(bin4).ljust(length - 1, "7"))) == expected


# ---------------------------------------------------------------------------------------------------------- check digit


@settings(derandomize=True, database=None)
@given(numbers)
def test_the_check_digit_is_judged_as_the_standard_says(number):
    """ISO/IEC 7812-1, against an implementation by table."""
    assert card_numbers.luhn(number) == fits(number)


@settings(derandomize=True, database=None)
@given(numbers.map(completed), st.data())
def test_one_wrong_digit_is_always_noticed(number, data):
    """CB-04: the commonest slip of a finger never gets as far as a bank."""
    place = data.draw(st.integers(0, len(number) - 1))
    other = data.draw(st.sampled_from([digit for digit in "0123456789" if digit != number[place]]))
    assert card_numbers.luhn(number)
    assert not card_numbers.luhn(number[:place] + other + number[place + 1 :])


@settings(derandomize=True, database=None)
@given(numbers.map(completed), st.data())
def test_two_neighbours_exchanged_are_noticed_unless_they_are_nought_and_nine(number, data):
    """CB-04: what this check digit can and cannot see."""
    place = data.draw(st.integers(0, len(number) - 2))
    pair = number[place : place + 2]
    swapped = number[:place] + pair[::-1] + number[place + 2 :]
    assert card_numbers.luhn(swapped) == (pair[0] == pair[1] or set(pair) == {"0", "9"})


@pytest.mark.parametrize(
    "number",
    [
        "",
        "4242424242424241",
        "9999999999999995",
        "424242424242424",
        "42424242424242424242",
        "4242 4242 4242 4242",
        "4242424242424242\n",
        "-4242424242424242",
        "４２４２４２４２４２４２４２４２",
        "٤٢٤٢٤٢٤٢٤٢٤٢٤٢٤٢",
        "4242424242424²42",
    ],
)
def test_what_is_no_card_number_is_refused_without_repeating_it(number):
    """CB-04, CB-18: wrong check digit, nobody's, too short, too long, or not sixteen of the digits 0 to 9."""
    with pytest.raises(CardInvalid) as refusal:
        card_numbers.check_number(number)
    assert refusal.value.facts["pointer"] == "/number"
    assert not number or number not in f"{refusal.value!r} {refusal.value} {refusal.value.problem()}"


# --------------------------------------------------------------------------------------------------------------- expiry


@pytest.mark.parametrize(
    ("year", "month", "following"),
    [(2026, 1, (2026, 2)), (2026, 2, (2026, 3)), (2028, 2, (2028, 3)), (2026, 4, (2026, 5)), (2026, 12, (2027, 1))],
)
def test_a_card_is_good_to_the_end_of_its_month_wherever_its_owner_is(year, month, following):
    """CB-04: until midnight in the last place on earth, twelve hours west of Greenwich; not a millisecond more."""
    midnight = instant(*following, 1, hours_west=12)
    assert midnight == instant(*following, 1, 12)
    assert good(year, month, midnight - 1)
    assert not good(year, month, midnight)
    # East of Greenwich the next month began a day before: nobody there is refused early.
    assert good(year, month, instant(*following, 1, hours_west=-14))


@settings(derandomize=True, database=None)
@given(
    st.integers(2000, 2100),
    st.integers(1, 12),
    st.datetimes(datetime(2020, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
)
def test_a_month_is_good_from_twenty_years_ahead_until_it_is_over_everywhere(year, month, moment):
    """CB-04: compared by counting months on the calendar of the last place on earth."""
    there = moment.astimezone(timezone(timedelta(hours=-12)))
    ahead = (year - there.year) * 12 + month - there.month
    latest = 20 * 12 + 12 - there.month
    assert good(year, month, int(moment.timestamp() * 1_000)) == (0 <= ahead <= latest)


def test_no_card_is_good_for_more_than_twenty_years():
    """CB-04: to December of the twentieth year ahead, counted from the year that it still is somewhere."""
    eve = instant(2027, 1, 1, 11, 59)
    assert good(2046, 12, eve)
    assert not good(2047, 1, eve)
    assert good(2047, 12, instant(2027, 1, 1, 12))


def test_an_expired_card_is_refused_for_its_expiry_without_repeating_it():
    """CB-04, CB-18."""
    with pytest.raises(CardInvalid) as refusal:
        card_numbers.check_expiry(2019, 11, instant(2026, 11, 23))
    assert refusal.value.facts["pointer"] == "/expiry"
    assert "expired" in refusal.value.problem()["detail"]
    assert "2019" not in str(refusal.value.problem())


@pytest.mark.parametrize(("year", "month"), [(2047, 1), (2047, 12), (2099, 6)])
def test_an_expiry_too_far_ahead_is_not_called_expired(year, month):
    """D18: the owner is told to look again, not to get a new card."""
    with pytest.raises(CardInvalid) as refusal:
        card_numbers.check_expiry(year, month, instant(2026, 11, 23))
    detail = refusal.value.problem()["detail"]
    assert "expired" not in detail
    assert "look at its expiry again" in detail


@pytest.mark.parametrize(
    "number",
    # Mir, Maestro 67, UnionPay 81, Elo within Maestro, Visa and Discover, RuPay, Verve, Dankort, Mada, and others.
    [
        "2200770000000000",
        "6762000000000000",
        "8171000000000000",
        "5067000000000000",
        "4389350000000000",
        "6504060000000000",
        "5085000000000000",
        "5061000000000000",
        "5019000000000000",
        "5888450000000000",
        "9792000000000000",
        "9860000000000000",
        "8600000000000000",
        "9704000000000000",
        "6062820000000000",
    ],
)
def test_a_real_card_of_any_scheme_is_a_card_that_another_bank_serves(number):
    """D18: "use another card", never "not a card number"; and no scheme of one country is told as one of the great ones."""
    whole = completed(number[:-1])
    brand = card_numbers.check_number(whole)
    banks = issuers.parse("2=sandbox 4=sandbox 5=sandbox 34=sandbox 37=sandbox")
    assert issuers.serving(banks, whole) is None
    assert brand not in ("Visa", "Mastercard", "Discover")
    assert (brand == "Maestro") == number.startswith("67")
    assert issuers.serving(banks | {number[:6]: "own"}, whole) == "own"
