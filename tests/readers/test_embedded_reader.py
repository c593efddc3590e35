"""Reading real photos by the networks that ship with the function: a sample; `python -m tests.bench photos` reads 132."""

import math
import random

import pytest

from billfold import card_photos, readers
from billfold.card_photos import Reading, Unreadable
from billfold.readers import NoImage, OutOfTime, boxes, embedded
from infra.demo import card_pictures as rendering
from infra.plan import stages, steps


def interpreted(image: bytes) -> Reading | Unreadable:
    # With time to spare: other tests run on this machine.
    return card_photos.read(embedded.looks(image, seconds=120))


@pytest.mark.parametrize("condition", rendering.CONDITIONS)
def test_a_card_is_read_in_every_condition(condition):
    """CB-02: flat, embossed, low contrast, tilted, upside down, dim and blurred; every field with its confidence."""
    chance = random.Random(f"sample {condition}")
    card = rendering.card(chance)
    found = interpreted(rendering.photo(card, condition, chance))
    assert isinstance(found, Reading), found
    assert (found.number.value, found.brand.value) == (card.number, card.brand)
    assert found.expiry is not None
    assert f"{found.expiry.year}-{found.expiry.month:02d}" == card.expiry
    assert found.holder is not None
    assert found.holder.value.replace(" ", "") == card.holder.replace(" ", "")
    assert all(0.5 < field.confidence <= 1 for field in (found.number, found.expiry, found.holder))


@pytest.mark.parametrize("turn", [90, 270])
def test_a_card_that_stands_on_its_side_is_read(turn):
    """CB-02: a phone held the other way, without a note of it in the file."""
    chance = random.Random("on its side")
    card = rendering.card(chance)
    found = interpreted(rendering.turned(rendering.photo(card, "flat", chance, kind="PNG"), turn))
    assert isinstance(found, Reading), found
    assert found.number.value == card.number


def test_two_cards_in_a_photo_are_two_cards():
    """CB-02: none of them is chosen."""
    chance = random.Random("two")
    image = rendering.photo_of_two(rendering.card(chance), rendering.card(chance), chance)
    assert interpreted(image) == Unreadable("two_cards")


@pytest.mark.parametrize("kind", ["landscape", "notice"])
def test_what_shows_no_card_is_no_card(kind):
    """CB-02: nothing is made up."""
    assert interpreted(getattr(rendering, kind)(random.Random(kind))) == Unreadable("no_card")


def test_a_card_whose_check_digit_is_wrong_is_unreadable():
    """CB-02, CB-04: a failed Luhn asks for another photo or for typing."""
    chance = random.Random("wrong digit")
    image = rendering.photo(rendering.card(chance, valid=False), "flat", chance)
    assert interpreted(image) == Unreadable("number_invalid")


@pytest.mark.parametrize("design", ["four_short_lines", "code_in_line"])
def test_a_number_is_told_from_the_code_beside_it(design):
    """CB-02, CB-18: EXP and CVV beside four short lines; a code in the number's line. No digit of a code is read."""
    chance = random.Random(f"sample {design}")
    card = rendering.card(chance)
    found = interpreted(rendering.photo(card, "flat", chance, design=design))
    assert isinstance(found, Reading), found
    assert found.number.value == card.number


@pytest.mark.parametrize("cover", ["thumb 0"])
def test_a_number_that_is_partly_covered_is_not_read(cover):
    """CB-02: what is left, with the first digits that stand again below, is no number."""
    chance = random.Random(f"sample {cover}")
    image = rendering.photo(rendering.card(chance), "flat", chance, design="bin_below", cover=cover)
    assert interpreted(image) == Unreadable("number_unreadable")


def test_a_receipt_is_no_card():
    """CB-02: though its order number could be a card's."""
    assert interpreted(rendering.receipt(random.Random("receipt"))) in (
        Unreadable("no_card"),
        Unreadable("number_unreadable"),
    )


def test_a_page_of_small_print_costs_no_more_than_a_look_at_a_bounded_part_of_it():
    """CB-02: regions and pixels are bounded before anything is recognised."""
    lines = next(embedded.looks(rendering.small_print(random.Random("small print"))))
    lengths = [embedded.STRIP_HEIGHT * math.dist(a, b) / math.dist(a, d) for a, b, _, d in (line.box for line in lines)]
    assert 0 < sum(min(embedded.MAX_STRIP_WIDTH, length) for length in lengths) <= embedded.MAX_STRIPS_WIDTH
    assert len(lines) <= boxes.MAX_REGIONS


def test_reading_ends_when_its_time_is_over():
    """CB-02: between two lines of text, long before the function's own time-out."""
    image = rendering.notice(random.Random("notice"))
    with pytest.raises(OutOfTime):
        next(embedded.looks(image, seconds=0))
    (step,) = [one for one in steps.known() if one.name == "read_card_photo"]
    for stage in stages.names():
        assert step.settings(stages.stage(stage)).timeout_seconds > 2 * embedded.SECONDS


def test_what_is_no_picture_is_refused():
    """CB-02: not an empty reading, which would be a photo without a card."""
    with pytest.raises(NoImage):
        next(embedded.looks(b"not a picture"))


def test_the_stage_names_its_reader(monkeypatch):
    """CB-02: chosen per stage, and a name that is no reader's stops at once."""
    monkeypatch.setenv("BILLFOLD_CARD_READER", "embedded")
    assert readers.of_this_stage() is embedded
    monkeypatch.setenv("BILLFOLD_CARD_READER", "vault")
    with pytest.raises(LookupError):
        readers.of_this_stage()
