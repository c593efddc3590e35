"""Reading real photos by the networks that ship with the function: a sample; `python -m tests.bench photos` reads 210."""

import random

import pytest

from billfold import card_photos, readers
from billfold.card_photos import Reading, Unreadable
from billfold.readers import NoImage, embedded
from infra import card_pictures as rendering


def interpreted(image: bytes) -> Reading | Unreadable:
    return card_photos.interpret(embedded.read(image))


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
    assert interpreted(image) == Unreadable("number_unreadable")


def test_what_is_no_picture_is_refused():
    """CB-02: not an empty reading, which would be a photo without a card."""
    with pytest.raises(NoImage):
        embedded.read(b"not a picture")


def test_the_stage_names_its_reader(monkeypatch):
    """CB-02: chosen per stage, and a name that is no reader's stops at once."""
    monkeypatch.setenv("BILLFOLD_CARD_READER", "embedded")
    assert readers.of_this_stage() is embedded
    monkeypatch.setenv("BILLFOLD_CARD_READER", "vault")
    with pytest.raises(LookupError):
        readers.of_this_stage()
