"""What a call carries beside its body, as API Gateway hands it over: headers, query and media type.

A header that a step reads and a parameter of the query are there once: which of two counts, the gateway, a proxy and the step
could each see otherwise. Nothing that was sent is said again (CB-18).
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from billfold.errors import Invalid, MediaTypeUnsupported
from billfold.triggers import bodies

_JSON = re.compile(r"application/json\s*(;.*)?", re.IGNORECASE | re.DOTALL)
_CHARSET = re.compile(r";\s*charset\s*=\s*\"?([^\s\";]*)", re.IGNORECASE)


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


def query(event: dict[str, Any], known: tuple[str, ...]) -> dict[str, str]:
    """The parameters of a call's query; Invalid for one that it does not take, or that came more than once."""
    found: dict[str, str] = {}
    for name, values in _lists(event, "queryStringParameters", "multiValueQueryStringParameters"):
        if name not in known:
            raise Invalid("the query has a parameter that this call does not take", bodies.pointer(name))
        if len(values) > 1:
            raise Invalid("a parameter of the query came more than once", f"/{name}")
        found[name] = values[0]
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
