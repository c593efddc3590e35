"""Free text over the wire: no field takes what could not be shown or kept, and no answer repeats it (A1, F12, CB-18)."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import inspect

from billfold.bills.taps import SignedItem
from infra.clients.phones import Till
from tests import world
from tests.rules.test_card_numbers import completed
from tests.rules.test_free_texts import ALPHABETS
from tests.steps.test_bad_input import TAKING, send
from tests.steps.town import CALLS, Town
from tests.world import call


def fields(model: Any, at: str = "") -> list[str]:
    """The pointers of a model's free texts; those of a list are below its first."""
    found = []
    for field in inspect.type_info(model).fields:
        shape, where = field.type, f"{at}/{field.encode_name}"
        while isinstance(shape, inspect.Metadata | inspect.ListType):
            shape, where = (
                (shape.type, where) if isinstance(shape, inspect.Metadata) else (shape.item_type, f"{where}/0")
            )
        if isinstance(shape, inspect.StructType):
            found += fields(shape.cls, where)
        elif isinstance(shape, inspect.CustomType):
            found.append(where)
    return found


FREE = [
    (route, pointer) for route in TAKING if TAKING[route].handler.body for pointer in fields(TAKING[route].handler.body)
]
SECRET = "Canarytext"
words = st.text("abcdefgh", min_size=1, max_size=8).map(lambda text: SECRET + text)
strange = st.sampled_from(
    [*"\x00\x1f\x7f\x85\u200b\u202e\u2066\u2069\ufeff\ufdd0\uffff", "\U0010ffff", "\u2028", "\u00ad"]
)
numbers = st.text("0123456789", min_size=15, max_size=15).map(lambda rest: completed("4" + rest[:14]))
bad_texts = st.one_of(
    st.tuples(words, strange, words).map("".join),
    words.map(lambda text: text + "e\u0301"),
    st.sampled_from(["", " ", "\u3000", "\u2800"]),
    words.map(lambda text: text * 20),
    st.tuples(words, numbers, st.sampled_from(ALPHABETS)).map(
        lambda drawn: f"{drawn[0]} {drawn[1].translate(str.maketrans('0123456789', drawn[2]))}"
    ),
)


def put(value: Any, pointer: str, text: str) -> Any:
    """A copy of a value with a text at the pointer."""
    copied = json.loads(json.dumps(value))
    *path, last = pointer[1:].split("/")
    place = copied
    for part in path:
        place = place[int(part)] if isinstance(place, list) else place[part]
    place[last] = text
    return copied


def test_there_is_free_text_in_these_calls():
    """The walk above finds what the guide names."""
    assert ("POST /v1/transfers", "/reason") in FREE
    assert ("POST /v1/cards", "/person/name") in FREE
    assert fields(SignedItem) == ["/lines/0/name"]
    assert len(FREE) >= 7


@pytest.mark.parametrize(("route", "pointer"), FREE)
def test_no_field_takes_a_text_against_the_rule(village, route, pointer):
    """A1, F12: 400, with the pointer to it and nothing of it in the answer."""
    valid = CALLS[route].body(village, village.people[CALLS[route].entitled])

    @settings(max_examples=25)
    @given(bad_texts)
    def refused(text: str) -> None:
        answer = send(route, village, json.dumps(put(valid, pointer, text)))
        assert (answer.status, answer.body["pointer"]) == (400, pointer)
        said = json.dumps(answer.body, ensure_ascii=False)
        assert SECRET not in said
        assert not any(run in said for run in text.split() if len(run) > 11)

    refused()


def test_a_line_against_the_rule_refuses_its_item_and_the_others_land(village: Town):
    """A1, VB-11: the terminal signed it, so the signature is sound; the text is not."""
    person = world.joined(pin=None)
    bill, till = world.opened(person), village.shop.tills[0]
    texts = ["a\uffffb", "\u202egnp.exe", "e\u0301", " ", f"card {completed('400000' + '1' * 9)}", "\U0001fffe"]
    items = [
        signed for text in texts for signed in (till.item(bill, [(text, 1, 100)]), till.item(bill, [("bun", 1, 5)]))
    ]
    answer = world.tap(person, bill, items)
    results = answer.body["results"]
    assert [result["outcome"] for result in results] == ["refused", "added"] * len(texts)
    refusals = [(result["problem"]["code"], result["problem"]["pointer"]) for result in results[::2]]
    assert refusals == [("invalid", f"/items/{2 * number}/lines/0/name") for number in range(len(texts))]
    assert "400000" not in json.dumps([result["problem"] for result in results[::2]])


@pytest.mark.parametrize(
    "name", ["Bäckerei Öz", "می‌خواهم", "👩‍👩‍👧", "寿司 たこ", "क्‍ष", "12 Apostles 2026-11-23", "4006381333931 pens"]
)
def test_honest_texts_are_kept_as_they_are(village, name):
    """A1: what was sent is what is shown, in a name as in an item's line."""
    admin = village.people["admin"]
    created = call("POST", "/v1/merchants", admin, {"name": name})
    assert (created.status, created.body["name"]) == (201, name)
    person = world.joined(pin=None)
    bill = world.opened(person)
    till: Till = village.shop.tills[0]
    landed = world.tap(person, bill, [till.item(bill, [(name, 1, 100)])]).body
    assert landed["bill"]["items"][0]["lines"][0]["name"] == name
