"""What a call carries beside its body, as API Gateway hands it over: headers, parameters of path and query, media type.

A step declares what each parameter may be, once: the call is checked by it and the contract says it. A header that a step reads
and a parameter of the query may come once, because of two the gateway, a proxy and the step could each take another one. A
refusal never repeats what was sent (CB-18).
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from billfold import ids
from billfold.errors import Invalid, MediaTypeUnsupported, NotFound
from billfold.triggers import bodies

_JSON = re.compile(r"application/json\s*(;.*)?", re.IGNORECASE | re.DOTALL)
_CHARSET = re.compile(r";\s*charset\s*=\s*\"?([^\s\";]*)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of a path or a query.

    schema: what the contract says of its values (JSON Schema). fits: tells whether a text is such a value. refusal: the detail
    of Invalid for any other text; without one, a path that does not fit is NotFound. default: the value when none is sent.
    """

    name: str
    schema: dict[str, Any]
    fits: Callable[[str], object] = lambda _: True
    refusal: str = ""
    default: str = ""

    def of(self, query: Mapping[str, str]) -> str:
        """The value in a query that was checked, or the default."""
        return query.get(self.name, self.default)


def matching(name: str, pattern: str, refusal: str = "", **said: Any) -> Parameter:
    """A parameter that a regular expression matches from end to end. `said`: more for the contract, such as a description."""
    schema = {"type": "string", "pattern": f"^{pattern}$", **said}
    return Parameter(name, schema, re.compile(pattern).fullmatch, refusal)


def word(name: str) -> Parameter:
    """A parameter that is a word, such as a bank. The step checks whether this bank exists."""
    return matching(name, "[A-Za-z]{1,20}")


def choice(name: str, *values: str) -> Parameter:
    """A parameter that is one of these values. The first is its default; where that is empty, no value is chosen by default."""
    named = [value for value in values if value]
    schema = {"type": "string", "enum": named, **({"default": values[0]} if values[0] else {})}
    return Parameter(name, schema, values.__contains__, f"{name} is one of {', '.join(named)}", values[0])


ID = matching("id", f"(?:{ids.SHAPE})")


class Headers(Mapping[str, str]):
    """A call's headers by their names in small letters; to read one that came more than once is Invalid."""

    def __init__(self, event: dict[str, Any]) -> None:
        self._values: dict[str, list[str]] = {}
        for name, values in _lists(event, "headers", "multiValueHeaders"):
            self._values.setdefault(name.lower(), []).extend(values)

    def __getitem__(self, name: str) -> str:
        values = self._values[name]
        if len(values) > 1:
            raise Invalid(f"the header {name} came more than once", f"/{name}")
        return values[0]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)


def path(event: dict[str, Any], declared: tuple[Parameter, ...]) -> dict[str, str]:
    """The parameters of a call's path: ids, but for those that are declared. One that does not fit is Invalid where its
    declaration has a refusal, else NotFound; before anything of the path is logged, because a card number could stand there
    (CB-18)."""
    found = dict(event.get("pathParameters") or {})
    known = {parameter.name: parameter for parameter in declared}
    for name, text in found.items():
        parameter = known.get(name, ID)
        if not parameter.fits(text):
            raise Invalid(parameter.refusal, f"/{name}") if parameter.refusal else NotFound()
    return found


def query(event: dict[str, Any], declared: tuple[Parameter, ...]) -> dict[str, str]:
    """The parameters of a call's query; Invalid for one that is not declared, came more than once or does not fit."""
    known = {parameter.name for parameter in declared}
    found: dict[str, str] = {}
    for name, values in _lists(event, "queryStringParameters", "multiValueQueryStringParameters"):
        if name not in known:
            raise Invalid("the query has a parameter that this call does not take", bodies.pointer(name))
        if len(values) > 1:
            raise Invalid("a parameter of the query came more than once", f"/{name}")
        found[name] = values[0]
    for parameter in declared:
        text = parameter.of(found)
        if text != parameter.default and not parameter.fits(text):
            raise Invalid(parameter.refusal, f"/{parameter.name}")
    return found


def _lists(event: dict[str, Any], single: str, multiple: str) -> list[tuple[str, list[str]]]:
    """Names with all their values: the gateway's own map of single values holds the last of several."""
    several = event.get(multiple) or {}
    rest = {name: [value] for name, value in (event.get(single) or {}).items() if name not in several}
    return [(name, list(values)) for name, values in (several | rest).items()]


def check_json(headers: Mapping[str, str]) -> None:
    """MediaTypeUnsupported for a body that says it is anything but JSON in UTF-8; one that says nothing is taken as that."""
    media_type = headers.get("content-type", "").strip()
    charsets = {charset.lower() for charset in _CHARSET.findall(media_type)}
    if media_type and not (_JSON.fullmatch(media_type) and charsets <= {"utf-8", "us-ascii"}):
        raise MediaTypeUnsupported("")
