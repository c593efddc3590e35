"""Fingerprints tell a repeat under one Idempotency-Key from another request, without storing what was sent.

A fingerprint is an HMAC of a request's body under its Idempotency-Key, which is stored nowhere. The annotation of a body's field
can say one of these:

    NEVER      The field is left out, because nothing derived from a PIN may be stored. Repeats may differ in it.
    COMPARED   The field is left out, because the step compares it by a fingerprint of its own, as the vault's of a card's number.
    SEALED     The field could be guessed by whoever knows the key, so the HMAC is under the stage's secret too.
"""

import hashlib
import hmac
import json
from functools import cache
from typing import Any, get_args, get_type_hints

from msgspec import Meta

NEVER = Meta(extra={"fingerprint": "never"})
COMPARED = Meta(extra={"fingerprint": "compared"})
SEALED = Meta(extra={"fingerprint": "sealed"})


def of(key: str, body: Any, model: Any) -> str:
    """The fingerprint of a body, as parsed, that is to be read as this model."""
    if isinstance(body, dict):
        left_out = marked(model, "never") | marked(model, "compared")
        body = {name: part for name, part in body.items() if name not in left_out}
    text = json.dumps(body, sort_keys=True, separators=(",", ":"))
    found = hmac.new(key.encode(), text.encode(), hashlib.sha256).hexdigest()[:32]
    return _sealed(found) if marked(model, "sealed") else found


def of_field(subject: str, name: str, text: str) -> str:
    """The fingerprint of one field of one thing, under the stage's secret: the same text has another one elsewhere."""
    return _sealed(f"{subject}/{name}/{text}")


def _sealed(text: str) -> str:
    # Imported here, because most steps seal nothing, and the health check needs no client of AWS.
    from billfold import aws

    return hmac.new(aws.secret("fingerprint-key").encode(), text.encode(), hashlib.sha256).hexdigest()[:32]


@cache
def marked(model: Any, mark: str) -> frozenset[str]:
    """The fields of a body's model whose annotation has this mark."""
    hints = get_type_hints(model, include_extras=True) if isinstance(model, type) else {}
    return frozenset(name for name, hint in hints.items() if _has(hint, mark))


def _has(hint: Any, mark: str) -> bool:
    marks = [said.extra or {} for said in getattr(hint, "__metadata__", ()) if isinstance(said, Meta)]
    return any(said.get("fingerprint") == mark for said in marks) or any(_has(part, mark) for part in get_args(hint))
