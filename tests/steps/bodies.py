"""Bodies that are wrong, made from a step's own model: every field with every wrong type, bound and form.

Each is (what is wrong, the text to send, the JSON pointer that the refusal must name; None where no one field is at fault).
"""

import copy
import json
import re
from collections.abc import Iterator
from typing import Any

import msgspec

Broken = tuple[str, str, str | None]
# What no field of its kind may hold. Python's own texts for numbers that JSON lacks are put in as they are.
WRONG: dict[str, list[Any]] = {
    "string": [None, 5, 0, -1, 1.5, True, [], {}, ["text"], 2**63],
    "integer": [None, "5", "", True, False, 1.5, 5.0, 0.1, [], {}, [5], 2**63, -(2**63), 10**40, "NaN", 1e300],
    "array": [None, 5, "text", "", True, {}, {"0": "text"}, 1.5],
    "object": [None, 5, "text", "", True, [], [{}], 1.5],
}
NO_JSON = [
    "{",
    "}",
    "[",
    "{]",
    '{"a"}',
    "{'a': 1}",
    '{"a": 1,}',
    "{a: 1}",
    '{"a": 1} {"b": 2}',
    "// no",
    "nul",
    "True",
    "<a/>",
    "a=1",
]
NO_OBJECT = [
    "null",
    "true",
    "false",
    "0",
    "1",
    "-1",
    "1.5",
    "1e400",
    '"text"',
    '""',
    "[]",
    "[{}]",
    "[1, 2]",
    "[[]]",
    "[null]",
]
NO_NUMBERS = ["NaN", "Infinity", "-Infinity", '{"a": NaN}', '{"a": [Infinity]}', '{"a": {"b": -Infinity}}']
TOO_MUCH = [
    "[" * 20_000,
    "[" * 20_000 + "]" * 20_000,
    '{"a":' * 9_000 + "1" + "}" * 9_000,
    '{"a": "' + "x" * 65_536 + '"}',
    "1" * 5_000,
]
TWICE = ['{"a": 1, "a": 1}', '{"a": {"b": 1, "b": 2}}', '[{"a": 1, "a": null}]']
HALVES = ['{"a": "\\ud800"}', '{"\\udfff": 1}', '["\\ud800x"]', '{"a": "\ud800"}']


def texts() -> Iterator[Broken]:
    """What no step takes, whatever its model."""
    for text in (*NO_JSON, *NO_OBJECT, *NO_NUMBERS, *TOO_MUCH, *TWICE, *HALVES):
        yield text[:40], text, None


def of(model: type, valid: dict[str, Any]) -> Iterator[Broken]:
    """A valid body, broken in every way that its model tells of."""
    yield from texts()
    _, components = msgspec.json.schema_components([model], ref_template="{name}")
    for pointer, why, body in _values(components[model.__name__], components, valid, valid, ""):
        yield f"{pointer} {why}", json.dumps(body, default=str), pointer
    for name in valid:
        text = json.dumps(valid)
        yield f"/{name} twice", text[:-1] + f", {json.dumps(name)}: {json.dumps(valid[name])}" + "}", f"/{name}"
        if isinstance(valid[name], str):
            half = valid | {name: "half \ud800"}
            yield f"/{name} half a character", json.dumps(half), None
            yield f"/{name} half a character, not escaped", json.dumps(half, ensure_ascii=False), None
        for number in ("NaN", "Infinity", "1e400"):
            mark = json.dumps(valid | {name: "@@"}).replace('"@@"', number)
            yield f"/{name} {number}", mark, f"/{name}" if number == "1e400" else None


def _values(
    schema: dict[str, Any], components: dict[str, Any], value: Any, whole: Any, at: str
) -> Iterator[tuple[str, str, Any]]:
    """Every wrong value at and below one place of the whole, with its pointer."""
    optional = "anyOf" in schema
    if optional:
        schema = next(one for one in schema["anyOf"] if one.get("type") != "null")
    schema = components.get(schema.get("$ref", ""), schema)
    kind = schema.get("type", "")
    for wrong in [*WRONG.get(kind, []), *_beyond(schema)]:
        if not (optional and wrong is None):
            yield at, f"is {wrong!r:.30}", _with(whole, at, wrong)
    if kind == "object" and isinstance(value, dict) and "properties" in schema:
        yield f"{at}/unknown~1~0", "is unknown", _with(whole, at, value | {"unknown/~": 1})
        for name, part in schema["properties"].items():
            if name in schema.get("required", ()):
                yield f"{at}/{name}", "is missing", _with(whole, at, {n: v for n, v in value.items() if n != name})
            yield from _values(part, components, value.get(name), whole, f"{at}/{name}")
    if kind == "array" and isinstance(value, list) and value and schema.get("items"):
        yield from _values(schema["items"], components, value[0], whole, f"{at}/0")


def _beyond(schema: dict[str, Any]) -> list[Any]:
    """Values of the right type beyond the schema's bounds."""
    found: list[Any] = []
    if "minimum" in schema:
        found += [schema["minimum"] - 1, -(10**12)]
    if "maximum" in schema:
        found += [schema["maximum"] + 1, 2**53, schema["maximum"] * 1000]
    if schema.get("minLength"):
        found.append("")
    if "maxLength" in schema:
        found += ["x" * (schema["maxLength"] + 1), "é" * 5_000]
    if "enum" in schema:
        found += ["", str(schema["enum"][0]).upper(), f" {schema['enum'][0]}", "no such", *WRONG["string"]]
    if "pattern" in schema:
        texts = ("", "!", "x y", "é", "\x00", "A" * 300, "\n")
        found += [text for text in texts if not re.search(schema["pattern"], text)]
    if "minItems" in schema:
        found.append([])
    if "maxItems" in schema:
        found.append(["trm_" + "0" * 32] * (schema["maxItems"] + 1))
    return found


def _with(whole: Any, pointer: str, value: Any) -> Any:
    """A copy of the whole with another value at a place."""
    if not pointer:
        return value
    whole = copy.deepcopy(whole)
    *path, last = pointer[1:].split("/")
    place = whole
    for step in path:
        place = place[int(step)] if isinstance(place, list) else place[step]
    if isinstance(place, list):
        place[int(last)] = value
    else:
        place[last] = value
    return whole
