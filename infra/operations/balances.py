"""The balance sheet as operations read it: every account of the ledger. A Scan, which no step may make."""

from dataclasses import dataclass
from typing import Any

from infra.deploy.clouds import Cloud
from infra.plan import stages


@dataclass(frozen=True)
class Line:
    """One account: what is available and what is held, in minor units, over all of its lanes."""

    account: str
    currency: str
    available: int
    held: int

    @property
    def posted(self) -> int:
        return self.available + self.held


def sheet(stack: dict[str, Any]) -> list[Line]:
    """The accounts by currency and name."""
    client = Cloud(stack["region"], stack["account"], stack["endpoint"]).client("dynamodb")
    name = f"{stages.stage(stages.LOCAL).prefix}-ledger"
    found: dict[tuple[str, str], tuple[int, int]] = {}
    for page in client.get_paginator("scan").paginate(TableName=name, ConsistentRead=True):
        for row in page["Items"]:
            if "available" in row or "held" in row:
                key = row["sk"]["S"], row["pk"]["S"].partition("#")[0]
                available, held = found.get(key, (0, 0))
                found[key] = available + _number(row, "available"), held + _number(row, "held")
    return [Line(account, currency, *amounts) for (currency, account), amounts in sorted(found.items())]


def sums(lines: list[Line]) -> dict[str, int]:
    """The sum over all accounts of each currency: zero, at every observable moment (LG-01)."""
    totals: dict[str, int] = {}
    for line in lines:
        totals[line.currency] = totals.get(line.currency, 0) + line.posted
    return totals


def _number(row: dict[str, Any], name: str) -> int:
    return int(row[name]["N"]) if name in row else 0
