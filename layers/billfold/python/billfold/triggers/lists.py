"""Pages of lists: limits, and cursors that are opaque and signed.

A cursor holds a position within what the caller may see anyway; the signature, keyed by the stage's secret and bound to the
caller, path and filters, keeps anyone from making one up or carrying it elsewhere.
"""

import base64
import hashlib
import hmac
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from billfold import aws
from billfold.errors import Invalid
from billfold.triggers.calls import Parameter, choice
from billfold.triggers.http import Answer, Request
from billfold.triggers.wire import Page

T = TypeVar("T")
LIMIT_DEFAULT, LIMIT_MAX = 20, 100


def _is_limit(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 3 and 1 <= int(text) <= LIMIT_MAX


LIMIT = Parameter(
    "limit",
    {"type": "integer", "minimum": 1, "maximum": LIMIT_MAX, "default": LIMIT_DEFAULT},
    _is_limit,
    f"limit is a number from 1 to {LIMIT_MAX}",
    str(LIMIT_DEFAULT),
)
# `position` checks it, which needs the stage's key: a step that declares it may fetch that key.
CURSOR = Parameter(
    "cursor",
    {"type": "string", "description": "`next` of the page before; good for this caller, path and filter only"},
)
# The parameters of every list that goes on by cursors.
PAGED = (LIMIT, CURSOR)
ORDER = choice("order", "newest", "oldest")


def limit(request: Request[Any]) -> int:
    """How many to show: `?limit=` from 1 to 100, 20 when it is not said."""
    return int(LIMIT.of(request.query))


def cursor(request: Request[Any], position: str) -> str | None:
    """The cursor for what follows a position; None at the end."""
    if not position:
        return None
    return base64.urlsafe_b64encode(_seal(request, position) + position.encode()).rstrip(b"=").decode()


def position(request: Request[Any]) -> str:
    """The position that `?cursor=` stands for, empty at the start; Invalid when it was not made here for this list."""
    text = CURSOR.of(request.query)
    if not text:
        return ""
    try:
        raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        found = raw[16:].decode()
    except ValueError:
        raise Invalid("this cursor was not made here", "/cursor") from None
    if not found or not hmac.compare_digest(raw[:16], _seal(request, found)):
        raise Invalid("this cursor was not made for this list", "/cursor")
    return found


def answer(
    request: Request[Any], found: Sequence[T], show: Callable[[T], Any], position_of: Callable[[T], str]
) -> Answer:
    """A page of what was found, which is one more than the limit when there is another page."""
    shown = found[: limit(request)]
    more = position_of(shown[-1]) if len(found) > len(shown) else ""
    return Answer(200, Page([show(one) for one in shown], cursor(request, more)))


def _seal(request: Request[Any], position: str) -> bytes:
    filters = sorted((name, value) for name, value in request.query.items() if name not in ("cursor", "limit"))
    text = "\n".join([request.caller, request.path, repr(filters), position])
    return hmac.new(aws.secret("cursor-key").encode(), text.encode(), hashlib.sha256).digest()[:16]
