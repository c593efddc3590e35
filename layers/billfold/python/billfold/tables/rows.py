"""Rows and how they are read: what every table module stands on. How they are written: `commits`.

One connection serves all tables (PynamoDB would make a client per model). Reads are strongly consistent.
"""

import functools
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, TypeVar, cast, overload

import msgspec
from botocore.exceptions import BotoCoreError, ClientError
from pynamodb.attributes import Attribute, UnicodeAttribute
from pynamodb.connection import Connection
from pynamodb.constants import NUMBER, STRING
from pynamodb.models import Model

from billfold import clock
from billfold.errors import Unavailable

PREFIX = os.environ.get("BILLFOLD_PREFIX", "billfold")
REGION = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")

# Seven tries with full jitter wait 10 + 20 + … + 320 ms at most, 0.3 s on average: within an API call's patience.
CONFLICT_TRIES = 7
# A lost answer is asked for again by botocore with the same token, so the second ask cannot act twice.
ATTEMPTS = 3
DUE_SHARDS = 8


def connection() -> Connection:
    """The one connection of this process to where its environment says that DynamoDB is, made at first use."""
    return _connected(os.environ.get("AWS_ENDPOINT_URL_DYNAMODB"))


@functools.cache
def _connected(address: str | None) -> Connection:
    return Connection(
        region=REGION,
        host=address,
        connect_timeout_seconds=1,
        read_timeout_seconds=3,
        max_retry_attempts=ATTEMPTS,
        max_pool_connections=int(os.environ.get("BILLFOLD_CONNECTIONS", "10")),
    )


class Integer(Attribute[int]):
    """A DynamoDB number that is an int both ways (PynamoDB's own decodes to float)."""

    attr_type = NUMBER

    def serialize(self, value: int) -> str:
        return str(int(value))

    def deserialize(self, value: str) -> int:
        return int(value)


class Json(Attribute[Any]):
    """A value kept as JSON text: smaller than a map, and opaque to expressions."""

    attr_type = STRING

    def serialize(self, value: Any) -> str:
        return msgspec.json.encode(value).decode()

    def deserialize(self, value: str) -> Any:
        return msgspec.json.decode(value)


class Row(Model):
    """A row of any table: a partition and a sort key."""

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    SORT: ClassVar[str] = ""

    @classmethod
    def table(cls) -> str:
        return str(cls.Meta.table_name)


def table(name: str) -> str:
    """The full name of a table in this stage."""
    return f"{PREFIX}-{name}"


def due_shard(table_name: str, key: str) -> str:
    """Which part of the sparse index of deadlines a row belongs to: eight, so that no minute's deadlines heat one partition."""
    return f"{table_name}#{sum(key.encode()) % DUE_SHARDS}"


Key = tuple[type[Row], str, str]
Rows = Mapping[Key, Row]


def call(action: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """One DynamoDB call; whatever is not our own mistake becomes Unavailable."""
    try:
        return dict(connection().dispatch(action, arguments))
    except ClientError as error:
        if error.response["Error"]["Code"] == "ValidationException":
            raise
        raise Unavailable() from error
    except BotoCoreError as error:
        raise Unavailable() from error


def read(keys: Iterable[Key]) -> dict[Key, Row]:
    """The rows at these keys, over all tables, in one BatchGetItem (at most 100); missing rows are left out."""
    wanted = {(model.table(), pk, sk): (model, pk, sk) for model, pk, sk in keys}
    found: dict[Key, Row] = {}
    request = _batch(wanted)
    for attempt in range(CONFLICT_TRIES if request else 0):
        if attempt:
            clock.back_off(attempt)
        answer = call("BatchGetItem", {"RequestItems": request})
        for name, items in answer.get("Responses", {}).items():
            for item in items:
                key = wanted[name, item["pk"]["S"], item["sk"]["S"]]
                found[key] = key[0].from_raw_data(item)
        request = answer.get("UnprocessedKeys", {})
        if not request:
            break
    if request:
        raise Unavailable()
    return found


def _batch(wanted: Iterable[tuple[str, str, str]]) -> dict[str, Any]:
    request: dict[str, Any] = {}
    for name, pk, sk in wanted:
        keys = request.setdefault(name, {"Keys": [], "ConsistentRead": True})["Keys"]
        keys.append({"pk": {"S": pk}, "sk": {"S": sk}})
    return request


T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
R = TypeVar("R", bound=Row)
A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")
D = TypeVar("D")
E = TypeVar("E")
F = TypeVar("F")
G = TypeVar("G")
H = TypeVar("H")


@dataclass(frozen=True, slots=True)
class Wanted(Generic[T_co]):
    """What a step wants to know: the rows that tell it, and what those that exist are read as. Modules of rows make it."""

    keys: tuple[Key, ...]
    read_as: Callable[[Rows], T_co]


# What an optional row is when it is not asked for.
NOTHING: Wanted[None] = Wanted((), lambda _: None)


def single(model: type[R], pk: str, sk: str, read_as: Callable[[R], T]) -> Wanted[T | None]:
    """One row; None when it does not exist."""
    key = (model, pk, sk)
    return Wanted((key,), lambda rows: read_as(cast(R, rows[key])) if key in rows else None)


def several(model: type[R], places: Iterable[tuple[str, str]], read_as: Callable[[R], T]) -> Wanted[list[T]]:
    """The rows at these partition and sort keys that exist, in this order."""
    keys = tuple(dict.fromkeys((model, pk, sk) for pk, sk in places))
    return Wanted(keys, lambda rows: [read_as(cast(R, rows[key])) for key in keys if key in rows])


def as_stored(row: R) -> R:
    """What a row is read as when it is to stay a row."""
    return row


def existence(key: Key) -> Wanted[bool]:
    """Whether this row exists."""
    return Wanted((key,), lambda rows: key in rows)


# fmt: off
@overload
def fetch(a: Wanted[A], /) -> A: ...
@overload
def fetch(a: Wanted[A], b: Wanted[B], /) -> tuple[A, B]: ...
@overload
def fetch(a: Wanted[A], b: Wanted[B], c: Wanted[C], /) -> tuple[A, B, C]: ...
@overload
def fetch(a: Wanted[A], b: Wanted[B], c: Wanted[C], d: Wanted[D], /) -> tuple[A, B, C, D]: ...
@overload
def fetch(a: Wanted[A], b: Wanted[B], c: Wanted[C], d: Wanted[D], e: Wanted[E], /) -> tuple[A, B, C, D, E]: ...
@overload
def fetch(
    a: Wanted[A], b: Wanted[B], c: Wanted[C], d: Wanted[D], e: Wanted[E], f: Wanted[F], g: Wanted[G], h: Wanted[H], /
) -> tuple[A, B, C, D, E, F, G, H]: ...
# fmt: on
def fetch(*wanted: Wanted[Any]) -> Any:
    """What is wanted, each once and in this order, by one BatchGetItem over all tables (at most 100 rows)."""
    rows = read(key for each in wanted for key in each.keys)
    found = tuple(each.read_as(rows) for each in wanted)
    return found if len(found) > 1 else found[0]


def write_all(rows: Iterable[Row]) -> None:
    """Put rows whose repetition changes nothing, 25 a BatchWriteItem."""
    waiting = [(row.table(), {"PutRequest": {"Item": row.serialize()}}) for row in rows]
    for attempt in range(CONFLICT_TRIES):
        if attempt:
            clock.back_off(attempt)
        left: list[tuple[str, Any]] = []
        for start in range(0, len(waiting), 25):
            request: dict[str, Any] = {}
            for name, put in waiting[start : start + 25]:
                request.setdefault(name, []).append(put)
            answer = call("BatchWriteItem", {"RequestItems": request})
            left += [(name, put) for name, puts in answer.get("UnprocessedItems", {}).items() for put in puts]
        if not left:
            return
        waiting = left
    raise Unavailable()


def pages(
    model: type[Row],
    pk: str,
    *,
    after: str = "",
    before: str = "",
    newest_first: bool = False,
    limit: int | None = None,
) -> Iterator[dict[str, Any]]:
    """The raw rows of a partition in order of their sort key, page after page, strongly consistent."""
    names, values, condition = {"#pk": "pk"}, {":pk": {"S": pk}}, "#pk = :pk"
    if after or before:
        names["#sk"] = "sk"
        # BETWEEN includes its bounds; no key continues another with a space, so the bound itself stays out.
        values |= {":after": {"S": after + " " if before else after}} if after else {}
        values |= {":before": {"S": before}} if before else {}
        both = "#sk BETWEEN :after AND :before"
        condition += " AND " + (both if after and before else "#sk > :after" if after else "#sk < :before")
    arguments: dict[str, Any] = {
        "TableName": model.table(),
        "KeyConditionExpression": condition,
        "ExpressionAttributeNames": names,
        "ExpressionAttributeValues": values,
        "ConsistentRead": True,
        "ScanIndexForward": not newest_first,
    }
    if limit is not None:
        arguments["Limit"] = limit
    while True:
        answer = call("Query", arguments)
        yield from answer["Items"]
        if limit is not None or "LastEvaluatedKey" not in answer:
            return
        arguments["ExclusiveStartKey"] = answer["LastEvaluatedKey"]


def due(model: type[Row], name: str, now: int) -> Iterator[str]:
    """The partition keys of the rows whose time has come, by the index of deadlines, the most overdue of each shard first."""
    for shard in range(DUE_SHARDS):
        values = {":shard": {"S": f"{name}#{shard}"}, ":now": {"N": str(now)}}
        yield from indexed(model, "due", "due_shard = :shard AND due_at <= :now", values)


def indexed(model: type[Row], index: str, condition: str, values: dict[str, Any]) -> Iterator[str]:
    """The partition keys that fulfil a condition on an index's keys, page after page in the index's order."""
    arguments: dict[str, Any] = {
        "TableName": model.table(),
        "IndexName": index,
        "KeyConditionExpression": condition,
        "ExpressionAttributeValues": values,
    }
    while True:
        answer = call("Query", arguments)
        yield from (item["pk"]["S"] for item in answer["Items"])
        if "LastEvaluatedKey" not in answer:
            return
        arguments["ExclusiveStartKey"] = answer["LastEvaluatedKey"]
