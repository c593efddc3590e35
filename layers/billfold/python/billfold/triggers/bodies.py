"""Strict JSON in: what a request's body may be, and where exactly it is wrong.

Refused with a pointer (RFC 6901): not JSON, duplicate keys, NaN and infinities, lone surrogates, more than 64 KiB, more than
32 levels, unknown or missing fields, wrong types (a float is never an amount), broken bounds. What was sent is never said again
(CB-18): nor a value, nor a name that could be a card number.
"""

import ast
import json
import re
from typing import Any, TypeVar

import msgspec

from billfold.errors import Invalid, RequestTooLarge

T = TypeVar("T")
MAX_BYTES = 64 * 1024
MAX_DEPTH = 32
_STEP = re.compile(r"\.([^.\[\]`]+)|\[(\d+)\]")
_FIELD = re.compile(r"(?:missing required|contains unknown) field `([^`]+)`")
# A refusal does not repeat a field's name that could be a card number or a code, in whatever digits (CB-18). The names of our own
# fields are ASCII and have at most one digit.
_SAYABLE = re.compile(r"[!-/:-~]{0,60}[0-9]?")
UNNAMED = "object contains an unknown field"


def parse(text: str) -> Any:
    """The JSON value in a body; Invalid with the reason when it is not strictly one."""
    if len(text) > MAX_BYTES or len(_bytes(text)) > MAX_BYTES:
        raise RequestTooLarge("the body is larger than 64 KiB")
    try:
        value = json.loads(text, object_pairs_hook=_object, parse_constant=_no_constant, parse_int=_int)
    except (ValueError, RecursionError) as error:
        reason = "it is nested too deeply" if isinstance(error, RecursionError) else "it is not valid JSON"
        raise Invalid(f"the body cannot be read: {reason}") from None
    if "\\u" in text:
        _bytes(json.dumps(value, ensure_ascii=False))
    if _is_deeper(value, MAX_DEPTH):
        raise Invalid("the body cannot be read: it is nested too deeply")
    return value


def _is_deeper(value: Any, levels: int) -> bool:
    """Whether a value has more than so many levels of objects and arrays."""
    if not isinstance(value, dict | list):
        return False
    parts = value.values() if isinstance(value, dict) else value
    return levels == 0 or any(_is_deeper(part, levels - 1) for part in parts)


def _bytes(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise Invalid("the body has half of a character (a lone surrogate)") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for name, part in pairs:
        if name in value:
            _bytes(name)
            raise Invalid("a field appears twice", pointer(name))
        value[name] = part
    return value


def _no_constant(text: str) -> Any:
    raise Invalid(f"{text} is not a JSON number")


def _int(text: str) -> int:
    if len(text) > 1000:
        raise Invalid("a number is too large")
    return int(text)


def convert(value: Any, model: type[T], at: str = "") -> T:
    """The value as the model says it must be; Invalid with a pointer below `at`."""
    try:
        return msgspec.convert(value, model, strict=True, dec_hook=_text)
    except msgspec.ValidationError as error:
        message, _, path = str(error).partition(" - at `")
        field = _FIELD.search(message)
        where = at + "".join("/" + _escaped(name or index) for name, index in _STEP.findall(path))
        if "unknown field `" in message and not _SAYABLE.fullmatch(message.partition("`")[2][:-1]):
            raise Invalid(UNNAMED, where) from None
        if field:
            where += "/" + _escaped(field[1])
        raise Invalid(_reason(message, model), where) from None
    except RecursionError:
        raise Invalid("the body is nested too deeply", at) from None


def _text(kind: Any, value: Any) -> Any:
    """A value of a type that msgspec does not know: a kind of free text, which checks it."""
    return kind(value)


def _reason(message: str, model: Any) -> str:
    """What msgspec says was wrong, without what was sent and without a regular expression: the field's description says it."""
    if message.startswith("Invalid enum value"):
        return "it is none of the values that the contract lists"
    before, matching, pattern = message.partition(" matching regex ")
    if matching:
        return f"expected {_described(model, ast.literal_eval(pattern))}"
    return before[0].lower() + before[1:].replace("`", "'")


def _described(model: Any, pattern: str) -> str:
    """What the model says of the field with this pattern, in words."""
    _, components = msgspec.json.schema_components([model])
    parts: list[Any] = [components]
    for part in parts:
        if isinstance(part, dict) and part.get("pattern") == pattern:
            return str(part["description"])
        parts += part.values() if isinstance(part, dict) else part if isinstance(part, list) else []
    raise LookupError("a pattern has a description")


def pointer(name: str) -> str:
    """The pointer to a name that was sent; empty for one that could be a card number or a code."""
    return "/" + _escaped(name) if _SAYABLE.fullmatch(name) else ""


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")
