"""What DynamoDB answers, scripted at botocore's own events: refusals and losses that an engine on loopback never has.

A script's entries are taken one a call: a dictionary is the answer, an error code (or a list of cancellation reasons) the
refusal, and None lets the call through to the engine. When the script is used up, calls go through.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

from botocore.exceptions import ReadTimeoutError

from billfold.tables import rows
from tests.cloud import direct

CONFLICT, CONDITION = "TransactionConflict", "ConditionalCheckFailed"
Entry = dict[str, Any] | list[str] | str | None


@contextmanager
def scripted(action: str, *script: Entry) -> Iterator[list[dict[str, Any]]]:
    """Answer calls of one action by a script; yields the list of all its requests, as sent."""
    waiting, sent = list(script), []

    def answer(params: dict[str, Any], **_: Any) -> Any:
        sent.append(json.loads(params["body"]))
        entry = waiting.pop(0) if waiting else None
        if isinstance(entry, dict):
            return SimpleNamespace(status_code=200), entry
        return None if entry is None else (SimpleNamespace(status_code=400), _refusal(entry))

    with _hooked(f"before-call.dynamodb.{action}", answer):
        yield sent
    assert not waiting, f"{len(waiting)} scripted answers were never asked for"


def _refusal(entry: str | list[str]) -> dict[str, Any]:
    if isinstance(entry, str):
        return {"Error": {"Code": entry, "Message": "scripted"}}
    reasons = [{"Code": code} for code in entry]
    return {"Error": {"Code": "TransactionCanceledException", "Message": "x"}, "CancellationReasons": reasons}


@contextmanager
def losing(action: str, answers: int, *, after_commit: bool) -> Iterator[list[bytes]]:
    """Lose so many answers of an action on the wire, before or after DynamoDB has done it; yields the bodies sent."""
    sent: list[bytes] = []

    def lose(request: Any, **_: Any) -> None:
        sent.append(request.body)
        if len(sent) <= answers:
            if after_commit:
                rows.connection().client._endpoint._send(request)
            raise ReadTimeoutError(endpoint_url=request.url)

    with _hooked(f"before-send.dynamodb.{action}", lose):
        yield sent


@contextmanager
def metered(action: str) -> Iterator[list[float]]:
    """The capacity units that each call of an action consumes."""
    units: list[float] = []

    def count(parsed: dict[str, Any], **_: Any) -> None:
        consumed = parsed.get("ConsumedCapacity", [])
        units.append(sum(each["CapacityUnits"] for each in ([consumed] if isinstance(consumed, dict) else consumed)))

    with _hooked(f"after-call.dynamodb.{action}", count):
        yield units


@contextmanager
def _hooked(event: str, handler: Any) -> Iterator[None]:
    events = rows.connection().client.meta.events
    events.register_first(event, handler)
    try:
        with direct.withdrawn():
            yield
    finally:
        events.unregister(event, handler)
