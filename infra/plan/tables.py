"""The tables, said once: the template declares them, tests and benchmarks create them on an engine.

On demand, encrypted, with point-in-time recovery, retained when the stack goes (infra adds that to every one of them).
`due` is the sparse index of deadlines; an index that is not named here does not exist, so nothing can lean on it.
"""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Index:
    """A global secondary index that projects keys only, so that only changes of its keys write to it."""

    name: str
    hash_key: str
    range_key: str
    range_type: str = "S"


@dataclass(frozen=True)
class Table:
    """A table with `pk` and `sk`; `ttl` the attribute that deletes what is over; `sandbox` when only sandbox stages have it. It
    has a stream when some step of `app.py` follows its changes."""

    name: str
    indexes: tuple[Index, ...] = field(default=())
    ttl: str = ""
    sandbox: bool = False


DUE = Index("due", "due_shard", "due_at", "N")

BY_OWNER = Index("by_owner", "owner", "pk")

TABLES = (
    Table("ledger", (DUE,)),
    Table("statements"),
    Table("people"),
    Table("merchants", (Index("by_merchant", "merchant", "pk"),)),
    Table("bills", (DUE, BY_OWNER)),
    Table("cards", (DUE, BY_OWNER), ttl="expires_at"),
    Table("vault", (Index("by_generation", "generation", "pk"),)),
    Table("charges", (DUE, Index("by_day", "day_shard", "pk")), ttl="expires_at"),
    Table("photos", (DUE,), ttl="expires_at"),
    Table("events", ttl="expires_at"),
    Table("outbox", ttl="expires_at"),
    Table("operations", ttl="expires_at"),
    Table("sandbox_bank", sandbox=True),
)

NAMES = frozenset(table.name for table in TABLES)


def of_stage(*, sandbox: bool) -> list[Table]:
    """The tables of a stage."""
    return [table for table in TABLES if sandbox or not table.sandbox]


def definition(table: Table, name: str) -> dict[str, Any]:
    """A table as CreateTable wants it (and, but for stream and tags, CloudFormation too)."""
    types = {"pk": "S", "sk": "S"}
    for index in table.indexes:
        types |= {index.hash_key: "S", index.range_key: index.range_type}
    definition: dict[str, Any] = {
        "TableName": name,
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{"AttributeName": key, "AttributeType": kind} for key, kind in sorted(types.items())],
        "KeySchema": _keys("pk", "sk"),
    }
    if table.indexes:
        definition["GlobalSecondaryIndexes"] = [
            {
                "IndexName": index.name,
                "KeySchema": _keys(index.hash_key, index.range_key),
                "Projection": {"ProjectionType": "KEYS_ONLY"},
            }
            for index in table.indexes
        ]
    return definition


def _keys(hash_key: str, range_key: str) -> list[dict[str, str]]:
    return [{"AttributeName": hash_key, "KeyType": "HASH"}, {"AttributeName": range_key, "KeyType": "RANGE"}]
