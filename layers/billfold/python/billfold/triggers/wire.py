"""What goes over the wire: the models that requests and answers share, validated and published from one definition."""

import os
from collections.abc import Iterable
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from billfold import ids, money
from billfold.errors import Invalid
from billfold.triggers import fingerprints, texts
from billfold.triggers.calls import Parameter
from billfold.triggers.texts import Text

# Python's `$` also matches before a last newline; `(?!\n)` keeps that out, and changes nothing in ECMA-262's dialect.
Currency = Annotated[str, Meta(pattern=r"^[A-Z]{3}(?!\n)$", description="ISO 4217 alphabetic code")]
Minor = Annotated[int, Meta(ge=1, le=money.MAX_AMOUNT_MINOR, description="an amount in minor units")]
Pin = Annotated[str, Meta(pattern=r"^[0-9]{4,8}(?!\n)$", description="4 to 8 digits"), fingerprints.NEVER]
Id = Annotated[str, Meta(pattern=rf"^(?:{ids.SHAPE})(?!\n)$", description="an id as this API gives them")]

CURRENCY = Parameter(
    "currency",
    {"type": "string", "pattern": "^[A-Z]{3}$", "description": "ISO 4217 alphabetic code"},
    money.is_currency,
    "ISO 4217 does not list this currency",
)


class NameText(Text):
    longest = 80


class ReasonText(Text):
    longest = 140


Name = Annotated[NameText, Meta(extra_json_schema=texts.schema(NameText))]
Reason = Annotated[ReasonText, Meta(extra_json_schema=texts.schema(ReasonText))]


def one_of(states: Iterable[str]) -> Meta:
    """What the contract says of a state: one that the code knows. It is published and not checked: the answer is our own."""
    return Meta(extra_json_schema={"enum": list(states)})


def each(model: type[Struct]) -> Meta:
    """What the contract says of an array whose values the step checks one by one, so that a malformed one refuses no other."""
    return Meta(extra={"model": model}, extra_json_schema={"items": {"$ref": f"#/components/schemas/{model.__name__}"}})


class Body(Struct, frozen=True, forbid_unknown_fields=True):
    """A request's body: unknown fields are refused."""


class View(Struct, frozen=True, omit_defaults=True):
    """What an answer shows; fields that are None are left out."""


class Amount(Body, frozen=True):
    """Money in minor units: {"amount": 1250, "currency": "USD"} is $12.50."""

    amount: Minor
    currency: Currency


class Total(View, frozen=True):
    """A sum in minor units, which can be zero."""

    amount: int
    currency: str


class Page(View, frozen=True):
    """One page of a list; `next` is the cursor of the following one, absent at the end."""

    items: list[Any]
    next: str | None = None


def known_currency(code: str, pointer: str) -> str:
    """The code, if money of it can exist; Invalid at the pointer otherwise."""
    if not money.is_currency(code):
        raise Invalid(CURRENCY.refusal, pointer)
    return code


def current_currency(code: str, pointer: str) -> str:
    """The code, if something new may be opened in it on this stage, by BILLFOLD_CLOSED_CURRENCIES; Invalid at the pointer
    otherwise."""
    if not money.is_current(code, os.environ.get("BILLFOLD_CLOSED_CURRENCIES", "").split()):
        raise Invalid("ISO 4217 does not list this currency, or no longer", pointer)
    return code


def to_builtins(value: Any) -> Any:
    """An answer as plain JSON values, to be kept in an idempotency record."""
    return msgspec.to_builtins(value)
