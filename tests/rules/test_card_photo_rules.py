"""What recognised text says about a card: numbers, dates and names, and when there is no one card (CB-02)."""

import math
from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billfold import card_photos
from billfold.card_photos import FIELDS, KEPT, Expiry, Field, Photo, Reading, Unreadable
from billfold.card_photos.printed_lines import Line

VISA, MASTERCARD, AMEX = "4242424242424242", "5555555555554444", "378282246310005"


def line(text: str, x: float = 0, y: float = 0, confidence: float = 0.95, tilt: float = 0) -> Line:
    """A line of print 40 high at a place, turned by `tilt` degrees about the photo's corner."""
    corners = [(x, y), (x + 22 * len(text), y), (x + 22 * len(text), y + 40), (x, y + 40)]
    cos, sin = math.cos(math.radians(tilt)), math.sin(math.radians(tilt))
    a, b, c, d = ((u * cos - v * sin, u * sin + v * cos) for u, v in corners)
    return Line(text, confidence, (a, b, c, d))


def read(*lines: Line) -> Reading:
    found = card_photos.read([list(lines)])
    assert isinstance(found, Reading), found
    return found


def reason(*lines: Line) -> str:
    found = card_photos.read([list(lines)])
    assert isinstance(found, Unreadable), found
    return found.reason


CARD = (
    line("First River Bank", 60, 40),
    line("4242 4242 4242 4242", 60, 300),
    line("VALID THRU", 60, 400),
    line("12/27", 300, 400),
    line("AMELIA JONES", 60, 500),
    line("VISA", 700, 520),
)


def test_a_whole_card_is_read_with_a_confidence_for_each_field():
    """CB-02: number, brand, expiry and holder."""
    found = read(*CARD)
    assert (found.number.value, found.brand.value) == (VISA, "Visa")
    assert found.expiry == Expiry(2027, 12, 0.95)
    assert found.holder is not None
    assert found.holder.value == "AMELIA JONES"
    assert found.number.confidence == found.brand.confidence == found.holder.confidence == 0.95


@pytest.mark.parametrize("tilt", [-40, -15, 0, 8, 15, 40, 90, 180])
def test_neither_the_photos_tilt_nor_the_order_of_lines_matters(tilt):
    """CB-02: rows are found along the print, not along the photo."""
    pieces = [("4242", 60), ("4242", 180), ("4242", 300), ("4242", 420)]
    split = [line(text, x, 300, tilt=tilt) for text, x in pieces]
    rest = [
        line("VALID THRU", 60, 400, tilt=tilt),
        line("09/31", 300, 402, tilt=tilt),
        line("SOFIA LEE", 60, 500, tilt=tilt),
    ]
    found = read(*rest[::-1], *split[::-1])
    assert found.number.value == VISA
    assert found.expiry == Expiry(2031, 9, 0.95)
    assert found.holder is not None
    assert found.holder.value == "SOFIA LEE"


@pytest.mark.parametrize(
    "texts",
    [
        ["4242424242424242"],
        ["4242 4242", "4242 4242"],
        ["4242", "4242", "4242", "4242"],
        ["4242-4242-4242-4242"],
        ["4242.4242.4242.4242"],
        ["No. 4242 4242 4242 4242."],
    ],
    ids=str,
)
@pytest.mark.parametrize("across", [False, True], ids=["in one row", "in several rows"])
def test_a_number_is_put_together_from_however_many_boxes(texts, across):
    """CB-02: print in groups, in one line or under each other."""
    before = [sum(len(text) + 1 for text in texts[:at]) for at in range(len(texts))]
    lines = [
        line(text, 60 if across else 60 + 22 * before[at], 300 + (80 * at if across else 0))
        for at, text in enumerate(texts)
    ]
    assert read(*lines).number.value == VISA


def test_fifteen_digits_in_groups_of_four_six_and_five_are_american_express():
    """CB-04: the brand decides the length."""
    found = read(line("3782 822463 10005"))
    assert (found.number.value, found.brand.value) == (AMEX, "American Express")


def test_a_letter_taken_for_a_digit_is_corrected_and_makes_the_number_less_sure():
    """CB-02: O for 0 and the like."""
    found = read(line("4242 4242 4Z42 4242"))
    assert found.number.value == VISA
    assert found.number.confidence < 0.9


@pytest.mark.parametrize(
    ("text", "number"), [("3782 B22463 1OOO5", AMEX), ("4OOO O566 5566 5556", "4000056655665556")], ids=str
)
def test_several_letters_take_two_looks_that_agree(text, number):
    """CB-02: one look that had to correct so much is a guess."""
    assert reason(line(text)) == "number_unreadable"
    found = card_photos.read([[line(text)], [], [line(text, 4, 4)]])
    assert isinstance(found, Reading)
    assert found.number.value == number


def looks(*texts: str, sure: float = 0.95) -> list[list[Line]]:
    return [[line(text, confidence=sure)] for text in texts]


def test_an_unsure_number_counts_when_two_looks_agree():
    """CB-02: and not when they differ, or when another look saw another number, however sure the last is."""
    unsure = looks("4242 4242 4242 4242", "4242 4242 4242 4242", sure=0.7)
    assert isinstance(card_photos.read(unsure), Reading)
    assert card_photos.read(unsure[:1]) == Unreadable("number_unreadable")
    other = looks("5555 5555 5555 4444", sure=0.7)
    assert card_photos.read(unsure[:1] + other) == Unreadable("number_unreadable")
    assert card_photos.read(other + looks("4242 4242 4242 4242", sure=0.99)) == Unreadable("number_unreadable")


def test_one_unsure_digit_makes_the_number_unsure():
    """CB-02: the mean of sixteen says little of the one that was misread."""
    chances = (0.99,) * 18 + (0.6,)
    (unsure,) = looks("4242 4242 4242 4242")[0]
    assert card_photos.read([[replace(unsure, chances=chances)]]) == Unreadable("number_unreadable")


def test_nobody_looks_further_than_needed():
    """CB-02: a sure number ends the search, also one whose check digit fails, and two sure ones."""

    def once(*texts: str) -> Iterator[list[Line]]:
        yield [line(text, 0, 80 * at, confidence=0.97) for at, text in enumerate(texts)]
        pytest.fail("looked again")

    assert isinstance(card_photos.read(once("4242 4242 4242 4242")), Reading)
    assert card_photos.read(once("4242 4242 4242 4243")) == Unreadable("number_invalid")
    assert card_photos.read(once("4242 4242 4242 4242", "", "5555 5555 5555 4444")) == Unreadable("two_cards")


@pytest.mark.parametrize(
    "text",
    ["4242 4242 4242 4243", "1234 5678 9012 3456", "0000 0000 0000 0000", "3782 822463 10006", "9999 8888 7777 6666"],
)
def test_a_whole_number_that_no_card_has_is_said_to_be_invalid(text):
    """CB-04: a specimen; another photo would not help. When it is not sure, another look might."""
    assert reason(line(text), line("VALID THRU 12/27", 0, 90)) == "number_invalid"
    assert reason(line(text, confidence=0.9), line("VALID THRU 12/27", 0, 90)) == "number_unreadable"


@pytest.mark.parametrize("label", ["ORDER", "Invoice no.", "IBAN", "Ref:", "Tel."])
def test_a_number_that_is_labelled_as_another_kind_is_no_cards(label):
    """CB-02: one order number in ten agrees."""
    assert reason(line(f"{label} 4242 4242 4242 4242")) == "no_card"


@pytest.mark.parametrize(
    "text",
    [
        "4242 4242 4Z42 4243",
        "4242 4242 424",
        "4242 4242 4242 4242 4",
        "42424242 42424242 4242",
        "5018 0000 0009",
        "6011 0000 0000 00000",
        "SSSS SSSS 5555 4444",
        "4242 4242 4242 424",
        "4242 42_2 4242 4242",
    ],
)
def test_a_number_that_does_not_agree_with_itself_is_never_shown(text):
    """CB-04: check digit, length, brand; and no more than four corrected letters."""
    assert reason(line(text), line("VALID THRU 12/27", 0, 90)) == "number_unreadable"


def test_two_numbers_are_two_cards():
    """CB-02: it is not for us to choose."""
    assert reason(line("4242 4242 4242 4242"), line("5555 5555 5555 4444", 0, 300)) == "two_cards"
    assert reason(line("4242 4242 4242 4242"), line("5555 5555 5555 4444", 900, 4)) == "two_cards"


def test_the_same_number_twice_is_one_card_and_the_surer_reading_counts():
    """CB-02: some cards print it on both halves."""
    found = read(line("4242 4242 4242 4242", confidence=0.7), line("4242424242424242", 0, 300, confidence=0.9))
    assert found.number.confidence == 0.9


@pytest.mark.parametrize(
    "texts",
    [[], [" "], ["Meeting on Tuesday", "room 214"], ["call 555 0199"], ["HELLO WORLD"], ["12/27"]],
    ids=str,
)
def test_other_text_is_no_card(texts):
    """CB-02: a landscape, a notice, an empty table."""
    assert reason(*(line(text, 0, 80 * at) for at, text in enumerate(texts))) == "no_card"


def test_a_card_whose_number_is_hidden_is_told_from_no_card():
    """CB-02: there is a card, hold it better."""
    assert reason(line("NORTHLIGHT BANK"), line("VALID THRU 12/27", 0, 300)) == "number_unreadable"
    assert reason(line("4242 4242")) == "number_unreadable"


@pytest.mark.parametrize(
    ("texts", "expiry"),
    [
        (["VALID THRU 12/27"], (2027, 12)),
        (["12/2027"], (2027, 12)),
        (["EXP 01-30"], (2030, 1)),
        (["O1/30"], (2030, 1)),
        (["VALID FROM 03/24 UNTIL 02/29"], (2029, 2)),
        (["VALID FROM 01/24", "VALID THRU 02/29"], (2029, 2)),
        (["VALID", "THRU", "11/33"], (2033, 11)),
        (["13/27"], None),
        (["00/27"], None),
        (["112/27"], None),
        (["12/275"], None),
        (["MEMBER SINCE 09"], None),
    ],
    ids=str,
)
def test_the_expiry_is_the_last_month_that_the_card_names(texts, expiry):
    """CB-02: VALID FROM is not when it ends."""
    found = read(line("4242 4242 4242 4242"), *(line(text, 0, 90 + 80 * at) for at, text in enumerate(texts)))
    assert (found.expiry and (found.expiry.year, found.expiry.month)) == expiry


@pytest.mark.parametrize(
    ("texts", "holder"),
    [
        (["AMELIA JONES"], "AMELIA JONES"),
        (["Amelia Jones"], "Amelia Jones"),
        (["J P VAN DIJK"], "J P VAN DIJK"),
        (["MARC O'NEIL"], "MARC O'NEIL"),
        (["Ana de la Cruz"], "Ana de la Cruz"),
        (["GOOD THRU", "MARIE-CLAIRE LEFÈVRE"], "MARIE-CLAIRE LEFÈVRE"),
        (["SøREN SØRENSEN"], "SØREN SØRENSEN"),
        (["øYVIND ÅS"], "ØYVIND ÅS"),
        (["Søren Ørsted"], "Søren Ørsted"),
        (["ŁUKASZ ŻÓŁĆ"], "ŁUKASZ ŻÓŁĆ"),
        (["JACK BLACK"], "JACK BLACK"),
        (["ANNA GOLD"], "ANNA GOLD"),
        (["ORSON CARD"], "ORSON CARD"),
        (["CHER"], "CHER"),
        (["VALID THRU 12/27", "BJÖRK", "VISA"], "BJÖRK"),
        (["MR. A JONES", "Jones Trading Ltd"], "MR. A JONES"),
        (["AMELIA JONES", "JONES TRADING"], None),
        (["THANK YOU", "CUSTOMER COPY"], None),
        (["DEBIT CARD", "NORTHLIGHT BANK", "AUTHORIZED SIGNATURE"], None),
        (["WORLD ELITE", "BUSINESS PLATINUM", "BLACK", "GOLD"], None),
        (["R2D2 UNIT"], None),
        (["W"], None),
    ],
    ids=str,
)
def test_the_holder_is_a_name_and_nothing_that_cards_print_themselves(texts, holder):
    """CB-02: the one name below the number, words in capitals before others; of several none is guessed."""
    found = read(line("4242 4242 4242 4242"), *(line(text, 0, 90 + 80 * at) for at, text in enumerate(texts)))
    assert (found.holder and found.holder.value) == holder


@pytest.mark.parametrize("above", ["Kreditna Banka", "SANTA MARIA", "Arkansas Federal", "NORTHLIGHT"])
@pytest.mark.parametrize("below", ["", "AMELIA JONES"])
def test_no_name_above_the_number_is_the_holders(above, below):
    """CB-02: it is a bank's."""
    found = read(line(above), line("4242 4242 4242 4242", 0, 200), *([line(below, 0, 300)] if below else []))
    assert (found.holder.value if found.holder else "") == below


def test_a_holder_who_is_not_sure_is_left_empty():
    """CB-02: and so is a single word that stands elsewhere than at the number's edge."""
    number = line("4242 4242 4242 4242")
    assert read(number, line("AMELIA JONES", 0, 100, confidence=0.8)).holder is None
    assert read(number, line("AVANTI", 300, 100)).holder is None


PRINTS = st.sampled_from(["", "a", "b", "c"])


@settings(max_examples=300, derandomize=True, database=None)
@given(
    st.dictionaries(st.sampled_from(FIELDS), PRINTS),
    st.fixed_dictionaries({name: st.lists(PRINTS, max_size=3) for name in FIELDS}),
    st.integers(0, 2 * KEPT),
)
def test_a_field_counts_as_shown_only_by_a_fingerprint_that_the_photo_has_while_it_lasts(shown, confirmed, later):
    """CB-03, issue 12 F19: by one of a field's own fingerprints, of a photo that is not over; whatever else is typed."""
    photo = Photo("pho_1", "usr_1", "read", 0, fingerprints=shown)
    expected = [
        name
        for name in FIELDS
        if later >= KEPT or name not in shown or all(shown[name] != one for one in confirmed[name])
    ]
    assert card_photos.typed(photo.at(later), confirmed) == expected
    assert card_photos.typed(None, confirmed) == list(FIELDS)


def test_a_reading_is_compared_as_calls_spell_it():
    """CB-03: months have two digits, names Unicode's normal form C; what was not found is not there."""
    number, brand = Field("4242424242424242", 1), Field("Visa", 1)
    whole = Reading(number, brand, Expiry(2031, 7, 1), Field("ZOE\u0308 O\u0301", 1))
    assert card_photos.shown(whole) == {"number": number.value, "expiry": "2031-07", "holder": "ZO\u00cb \u00d3"}
    assert card_photos.shown(Reading(number, brand)) == {"number": number.value}
