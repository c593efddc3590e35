"""What the models of requests let in: every text is either free text under its one rule or has a pattern, in words too."""

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from msgspec import inspect

from billfold.bills.taps import SignedItem
from billfold.triggers.texts import Text
from tests.world import ROUTES

MODELS = [*{module.handler.body: None for *_, module in ROUTES if module.handler.body}, SignedItem]
# Judged elsewhere: each signed item by its own model, a key by what a key of its kind has.
UNTYPED = {"AddItems.items", "RegisterDevice.jwk"}


def leaves(shape: inspect.Type, where: str) -> Iterator[tuple[str, inspect.Type]]:
    """Every type at and below one, with the last field that leads there."""
    yield where, shape
    if isinstance(shape, inspect.StructType):
        for field in shape.fields:
            yield from leaves(field.type, f"{shape.cls.__name__}.{field.name}")
    for part in (*getattr(shape, "types", ()), getattr(shape, "item_type", None), getattr(shape, "type", None)):
        if isinstance(part, inspect.Type):
            yield from leaves(part, where)


def of(model: type) -> list[tuple[str, inspect.Type]]:
    return list(leaves(inspect.type_info(model), model.__name__))


@pytest.mark.parametrize("model", MODELS)
def test_every_text_is_free_text_or_has_a_pattern(model):
    """A1, F12: no field can forget the rule of texts; what is no free text says exactly what it is."""
    forgotten = [
        where
        for where, shape in of(model)
        if (isinstance(shape, inspect.StrType) and not shape.pattern)
        or (isinstance(shape, inspect.CustomType) and not issubclass(shape.cls, Text))
    ]
    assert forgotten == []


def test_nothing_is_let_in_unread():
    """A1: a field of any shape would be a way round every rule."""
    loose = {
        where for model in MODELS for where, shape in of(model) if isinstance(shape, inspect.AnyType | inspect.DictType)
    }
    assert loose == UNTYPED


@pytest.mark.parametrize("model", MODELS)
def test_a_pattern_is_said_in_words_too(model):
    """D18: a refusal says the words; no user reads a regular expression."""
    _, components = msgspec.json.schema_components([model])

    def patterns(part: Any) -> Iterator[dict[str, Any]]:
        if isinstance(part, dict):
            if isinstance(part.get("pattern"), str):
                yield part
            for below in part.values():
                yield from patterns(below)
        elif isinstance(part, list):
            for below in part:
                yield from patterns(below)

    for part in patterns(components):
        assert not set("^$\\[]{}") & set(part["description"])
