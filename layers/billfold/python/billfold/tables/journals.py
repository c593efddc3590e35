"""Journals: things kept as a small head and their changes, in one partition. Bills, cards and charges are such things.

    pk     sk             what
    bil_…  #              the head: what conditions and indexes need, and always `revision`
    bil_…  00000001, …    the changes, immutable; each is also the idempotency record of the request that made it

Every step writes the head and one change: four write units however long the journal. The head's revision must be the one
that was read, so two writers can never both act on the same state; the change's number is the same promise once more.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any, Generic, TypeVar

import msgspec
from pynamodb.attributes import UnicodeAttribute

from billfold.changes import Change
from billfold.errors import IdempotencyKeyReused, NotFound
from billfold.tables.rows import Json, Row, as_stored, call, fetch, pages, several

T = TypeVar("T")
C = TypeVar("C", bound=Change)
H = TypeVar("H", bound=Row)
HEAD = "#"
OWN_COLUMNS = {"operation", "request"}


class ChangeRow(Row):
    """A change; what its followers need to know beyond its facts are columns of its table's own."""

    kind = UnicodeAttribute()
    facts = Json()
    operation = UnicodeAttribute(null=True)
    request = UnicodeAttribute(null=True)
    user = UnicodeAttribute()
    state = UnicodeAttribute()


R = TypeVar("R", bound=ChangeRow)


@dataclass(frozen=True, slots=True)
class Journal(Generic[T, C]):
    """A thing as it is, with the changes that made it so, and its head as it is stored. `rebuild` adds changes up."""

    present: T
    changes: tuple[C, ...]
    rebuild: Callable[[Iterable[C]], T]
    head: Mapping[str, Any]

    def repeat(self, operation: str, request: str) -> tuple[T, C] | None:
        """The thing as this operation's change left it, and that change, for the first answer once more; None: not done before.

        Raises IdempotencyKeyReused when a request of another fingerprint than `request` made the change.
        """
        for revision, change in enumerate(self.changes, 1):
            if change.operation == operation:
                if change.request != request:
                    raise IdempotencyKeyReused()
                return self.at(revision), change
        return None

    def at(self, revision: int) -> T:
        """The thing as it was after so many changes."""
        return self.rebuild(self.changes[:revision])


def load(
    model: type[ChangeRow],
    thing_id: str,
    kinds: Mapping[str, type[C]],
    rebuild: Callable[[str, Iterable[C]], T],
) -> Journal[T, C]:
    """A thing and its changes, by one Query; NotFound."""
    items = {item["sk"]["S"]: item for item in pages(model, thing_id)}
    head = items.pop(HEAD, {})
    changes = tuple(_to_change(model, item, kinds) for item in items.values())
    if not changes:
        raise NotFound()
    return Journal(rebuild(thing_id, changes), changes, lambda made: rebuild(thing_id, made), head)


def _to_change(model: type[ChangeRow], item: dict[str, Any], kinds: Mapping[str, type[C]]) -> C:
    row = model.from_raw_data(item)
    facts = {**row.facts, "operation": row.operation or "", "request": row.request or ""}
    return msgspec.convert(facts, type=kinds[row.kind])


class UnknownKind(Exception):
    """A change of a kind that only a newer writer knows."""


def inserted(model: type[R], image: dict[str, Any], kinds: Mapping[str, type[Change]]) -> R | None:
    """The change that a row inserted into a table of journals is; None for other rows. Raises UnknownKind."""
    if not image["sk"]["S"].isdigit():
        return None
    row = model.from_raw_data(image)
    if row.kind not in kinds:
        raise UnknownKind()
    return row


def columns(change: Change, kinds: Mapping[str, type[Change]]) -> dict[str, Any]:
    """What every change's row has of the change."""
    kind = next(name for name, known in kinds.items() if known is type(change))
    facts = {field.name: getattr(change, field.name) for field in fields(change) if field.name not in OWN_COLUMNS}
    return {
        "kind": kind,
        "facts": facts,
        "operation": change.operation or None,
        "request": change.request or None,
    }


def position(revision: int) -> str:
    """The sort key of the change that made this revision."""
    return f"{revision:08d}"


def owned(model: type[H], owner: str, *, before: str, limit: int) -> tuple[list[H], str]:
    """The heads of a user's things, newest first, and the position after the last one (empty at the end).

    The index `by_owner` holds keys only, so that nothing but a thing's making writes to it; the heads are read by key.
    """
    arguments: dict[str, Any] = {
        "TableName": model.table(),
        "IndexName": "by_owner",
        "KeyConditionExpression": "#owner = :owner" + (" AND pk < :before" if before else ""),
        "ExpressionAttributeNames": {"#owner": "owner"},
        "ExpressionAttributeValues": {":owner": {"S": owner}} | ({":before": {"S": before}} if before else {}),
        "ScanIndexForward": False,
        "Limit": limit + 1,
    }
    found = [item["pk"]["S"] for item in call("Query", arguments)["Items"]]
    shown = found[:limit]
    heads = fetch(several(model, ((thing_id, HEAD) for thing_id in shown), as_stored))
    return heads, shown[-1] if len(found) > limit else ""
