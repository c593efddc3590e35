"""Free text: every character of Unicode is judged, what looks the same is the same, and no card number hides in it."""

import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billfold import card_numbers
from billfold.triggers import texts
from tests.rules.test_card_numbers import ISSUED, completed

# Format characters that are seen, as signs before Arabic and Kaithi numbers; and those that shape their neighbours.
SEEN = {*range(0x600, 0x606), 0x6DD, 0x70F, 0x890, 0x891, 0x8E2, 0x110BD, 0x110CD}
SHAPING = {0x180E, 0x200C, 0x200D}
# Unicode has no property in Python that says "ignorable": these are letters and marks that put nothing on paper.
NOTHING = {0x34F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x3164, 0xFFA0}


def refused(text: str) -> str:
    """Why a text is refused; empty when it is not."""
    try:
        texts.checked(text, 80)
    except ValueError as error:
        return str(error)
    return ""


def must_go(point: int) -> bool:
    """Whether Unicode's own tables say that nobody could see this character, or that it is none."""
    category = unicodedata.category(chr(point))
    nonesuch = 0xFDD0 <= point <= 0xFDEF or point & 0xFFFE == 0xFFFE
    hidden = category == "Cf" and point not in SEEN | SHAPING
    return nonesuch or hidden or category in ("Cc", "Cs", "Zl", "Zp") or point in NOTHING


def test_every_character_of_unicode_is_judged_by_what_it_is():
    """A1: all 66 noncharacters, every control, format and half character is refused; every letter, mark and sign is taken."""
    wrong = []
    for point in range(sys.maxunicode + 1):
        unassigned = unicodedata.category(chr(point)) in ("Cn", "Co")
        if not (unassigned and not must_go(point)) and must_go(point) != ("nobody" in refused(f"ü{chr(point)}ü")):
            wrong.append(f"{point:04X}")
    assert wrong == []


@pytest.mark.parametrize(
    "text",
    [
        "Café Zoë",
        "می\u200cخواهم",
        "क्\u200dष",
        "👩\u200d👩\u200d👧\u200d👦 party",
        "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
        "❤️",
        "葛󠄀城市",
        "שלום",
        "مقهى",
        "２ × たこ焼き",
        "1\u202f234,50 €",
        "O’Neill & Søn",
        "4006381333931 pencil",
        "036000291452",
        "2026-11-23 10:15:30",
        "+49 30 901820",
        "order 1234-5678",
    ],
)
def test_honest_texts_of_many_scripts_are_taken(text):
    """Persian's and Devanagari's joiners, families of emoji, flags, variants, article numbers on a receipt."""
    assert refused(text) == ""


@pytest.mark.parametrize("text", ["Cafe\u0301", "\u212b", unicodedata.normalize("NFD", "가"), "\u0958"])
def test_what_is_not_in_normal_form_is_refused_with_its_own_words(text):
    """A1: two spellings of one name would be two names."""
    assert "NFC" in refused(text)


@pytest.mark.parametrize("text", [" ", "\u3000\u00a0", "\u2800", "\ufe0f", "\u0301"])
def test_what_shows_nothing_is_blank(text):
    """A name that nobody sees is none."""
    assert "blank" in refused(text)


@pytest.mark.parametrize(
    "text", ["a\u200db", "\u200cab", "ab\u200d", "é\u200d\u200dé", "\U0001f3f4\U000e0067", "a\U000e0041"]
)
def test_a_joiner_or_tag_that_shapes_nothing_is_refused(text):
    """Beside ASCII, doubled or at an end they would only make two names look alike."""
    assert "nobody" in refused(text)


card_texts = st.sampled_from([(low, length) for low, _, _, lengths in ISSUED for length in lengths]).map(
    lambda case: completed(str(case[0]).ljust(case[1] - 1, "7"))
)
ALPHABETS = ["0123456789", "０１２３４５６７８９", "٠١٢٣٤٥٦٧٨٩", "०१२३४५६७८९", "𝟎𝟏𝟐𝟑𝟒𝟓𝟔𝟕𝟖𝟗", "⁰¹²³⁴⁵⁶⁷⁸⁹"]


def is_article(number: str) -> bool:
    """By GS1's rule: odd places from the right weigh one, even ones three."""
    total = sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(number[::-1]))
    return len(number) in (12, 13, 14) and total % 10 == 0


@given(
    card_texts, st.sampled_from(ALPHABETS), st.sampled_from(["", " ", "-", ".", " - ", "·", "\u00a0", "/"]), st.data()
)
def test_a_card_number_is_found_however_it_is_written(number, alphabet, between, data):
    """F12, CB-18: of every brand and length, in any digits, with anything but letters between, among other words."""
    size = data.draw(st.integers(2, 6))
    groups = [number[start : start + size] for start in range(0, len(number), size)]
    written = between.join(groups).translate(str.maketrans("0123456789", alphabet))
    before = data.draw(st.sampled_from(["", "card ", "No. 12 ", "7/"]))
    after = data.draw(st.sampled_from(["", " thanks", " 12/29", " 123"]))
    said = refused(before + written + after)
    if between or not is_article(number):
        assert "card number" in said
        assert number[:6] not in said


@given(card_texts, st.data())
def test_a_number_that_is_no_cards_is_taken(number, data):
    """One digit wrong, or letters between: what is no card number need not be hidden."""
    place = data.draw(st.integers(len(number) - 11, 11))
    assert refused(number[:place] + "x" + number[place:]) == ""
    wrong = number[:-1] + str((int(number[-1]) + 1) % 10)
    assert not card_numbers.plausible(wrong)
    assert refused(wrong) == ""
