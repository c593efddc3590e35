"""Values that a body's model takes: drawn from the model itself, by Hypothesis, for any field however deep.

Steps check a few kinds of value further before they look for the first answer. These are drawn from what passes those checks:
currencies that exist, keys that are points of their curve, cards that are still good and that a bank of the sandbox issues.
"""

import copy
from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy
from msgspec import inspect

from billfold.cards import card_wire
from billfold.triggers import wire
from infra.clients.phones import Phone
from tests.world import card_world

TEXTS = st.text("abcdefghijklmnopqrstuvwxyz äöü漢", min_size=1, max_size=20).map(lambda text: f"a{text}".rstrip())
CURRENCIES = ("USD", "EUR", "JPY", "KWD", "CHF", "BHD")


def fields(model: Any, at: str = "") -> Iterator[tuple[str, Any]]:
    """The pointer and the type of every field of a model, those of models within it too."""
    for field in inspect.type_info(model).fields:
        where = f"{at}/{field.encode_name}"
        yield where, field.type
        for shape in alternatives(field.type):
            if isinstance(shape, inspect.StructType):
                yield from fields(shape.cls, where)


def bodies(body: dict[str, Any], pointer: str, shape: Any) -> SearchStrategy[dict[str, Any]]:
    """This body with other values in one field, which may be absent from it."""
    *path, last = pointer[1:].split("/")
    place: Any = body
    for part in path:
        place = place[part]
    absent = object()
    return (
        of(shape).filter(lambda value: value != place.get(last, absent)).map(lambda value: _with(body, pointer, value))
    )


def _with(body: dict[str, Any], pointer: str, value: Any) -> dict[str, Any]:
    whole: dict[str, Any] = copy.deepcopy(body)
    *path, last = pointer[1:].split("/")
    place = whole
    for part in path:
        place = place[part]
    place[last] = value
    return whole


def of(shape: Any) -> SearchStrategy[Any]:
    """JSON values that this type takes."""
    return st.one_of([_of_one(one) for one in alternatives(shape)])


def _of_one(shape: Any) -> SearchStrategy[Any]:
    match shape:
        case inspect.NoneType():
            return st.none()
        case inspect.BoolType():
            return st.booleans()
        case inspect.IntType(ge=2000, le=2100):
            return st.integers(2031, 2040)
        case inspect.IntType():
            return st.integers(shape.ge, shape.le)
        case inspect.StrType(pattern=pattern) if pattern == _pattern(wire.Currency):
            return st.sampled_from(CURRENCIES)
        case inspect.StrType(pattern=pattern) if pattern == _pattern(card_wire.Number):
            return st.integers(9_000, 9_999).map(lambda rest: card_world.number("approved", rest))
        case inspect.StrType():
            return st.from_regex(shape.pattern, fullmatch=True)
        case inspect.CustomType():
            return TEXTS
        case inspect.LiteralType():
            return st.sampled_from(shape.values)
        case inspect.ListType():
            return st.lists(of(shape.item_type), min_size=shape.min_length or 0, max_size=min(shape.max_length or 3, 3))
        case inspect.DictType():
            return st.builds(Phone).map(lambda phone: phone.jwk)
        case inspect.AnyType():
            return st.dictionaries(st.text(max_size=5), st.integers() | st.text(max_size=5), max_size=3)
        case inspect.StructType():
            return st.fixed_dictionaries(
                {field.encode_name: of(field.type) for field in shape.fields if field.required},
                optional={field.encode_name: of(field.type) for field in shape.fields if not field.required},
            )
    raise NotImplementedError(f"say how values of {shape} are drawn")


def alternatives(shape: Any) -> tuple[Any, ...]:
    """The types that a type is made of, without their annotations: of an optional text, the text and None."""
    while isinstance(shape, inspect.Metadata):
        shape = shape.type
    if isinstance(shape, inspect.UnionType):
        return tuple(one for each in shape.types for one in alternatives(each))
    return (shape,)


def _pattern(kind: Any) -> str:
    [shape] = alternatives(inspect.type_info(kind))
    return str(shape.pattern)
