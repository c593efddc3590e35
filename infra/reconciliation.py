"""What the daily comparison with each bank found, as operations read it."""

import json
from dataclasses import dataclass
from typing import Any

from infra.clouds import Cloud
from infra.stages import Stage


@dataclass(frozen=True)
class Report:
    """One bank's day: how many of our charges were compared, how many differences there are, and the first 200 of them."""

    bank: str
    compared: int
    found: int
    differences: list[dict[str, Any]]


def reports(cloud: Cloud, stage: Stage, day: str) -> list[Report]:
    """Every bank's report of a UTC day, such as 2026-11-23; none before the comparison has run."""
    answer = cloud.client("dynamodb").query(
        TableName=f"{stage.prefix}-charges",
        KeyConditionExpression="pk = :day",
        ExpressionAttributeValues={":day": {"S": f"rec_{day}"}},
        ConsistentRead=True,
    )
    return [
        Report(row["sk"]["S"], int(row["compared"]["N"]), int(row["found"]["N"]), json.loads(row["differences"]["S"]))
        for row in answer["Items"]
    ]


def lines(report: Report) -> list[tuple[str, str, str, str]]:
    """Each difference as kind, key, our side and theirs."""
    return [(one["kind"], one["key"], _side(one["here"]), _side(one["there"])) for one in report.differences]


def _side(line: dict[str, Any] | None) -> str:
    return f"{line['state']} {line['amount']} {line['currency']}" if line else "nothing"
