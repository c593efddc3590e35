"""What the daily comparison with each bank found, as operations read it; and their word on a charge that nobody else resolves."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from billfold import charges
from billfold.banks import issuers, reference_of
from billfold.charges import Day
from billfold.charges.charge_messages import ChargeMessage
from billfold.charges.comparisons import PARTS, Comparison
from billfold.clock import HOUR, SECOND
from billfold.tables import journals
from infra.deploy.clouds import Cloud
from infra.deploy.stacks import DeploymentFailed
from infra.failures import Failure
from infra.plan.stages import Stage


@dataclass(frozen=True)
class Report:
    """One bank's day: how many of our charges were compared, how many differences there are, and the first 200 of them.

    begun_at: when the comparison began; 0 in a report of an earlier version.
    """

    bank: str
    compared: int
    found: int
    differences: list[dict[str, Any]]
    begun_at: int


def reports(cloud: Cloud, stage: Stage, day: str) -> list[Report]:
    """Every bank's report of a UTC day, such as 2026-11-23; none before the comparison has run."""
    answer = cloud.client("dynamodb").query(
        TableName=f"{stage.prefix}-charges",
        KeyConditionExpression="pk = :day",
        ExpressionAttributeValues={":day": {"S": f"rec_{day}"}},
        ConsistentRead=True,
    )
    return [
        Report(
            row["sk"]["S"],
            int(row["compared"]["N"]),
            int(row["found"]["N"]),
            json.loads(row["differences"]["S"]),
            int(row.get("begun_at", {"N": "0"})["N"]),
        )
        for row in answer["Items"]
    ]


def begin(cloud: Cloud, stage: Stage, day: str, now: int) -> list[Comparison]:
    """Have a UTC day that is over compared anew with each bank's list; its reports are replaced when that is done."""
    try:
        asked = Day(int(datetime.fromisoformat(f"{day}T00:00+00:00").timestamp()) * SECOND)
    except ValueError:
        raise DeploymentFailed(f"{day} is no day; one is written as 2026-11-23") from None
    if asked.until > now:
        raise DeploymentFailed(f"{day} is not over yet in UTC")
    banks = sorted(set(issuers.parse(stage.variables["BILLFOLD_ISSUERS"]).values()))
    begun = [Comparison(bank, asked, now) for bank in banks]
    queues = cloud.client("sqs")
    address = queues.get_queue_url(QueueName=f"{stage.prefix}-comparisons")["QueueUrl"]
    for comparison in begun:
        queues.send_message(QueueUrl=address, MessageBody=comparison.message)
    return begun


def progress(cloud: Cloud, stage: Stage, begun: list[Comparison]) -> dict[str, str]:
    """How far each bank's comparison has come, in words; empty for one whose report is there."""
    reported = {
        report.bank for report in reports(cloud, stage, begun[0].day.name) if report.begun_at >= begun[0].begun_at
    }
    return {one.bank: "" if one.bank in reported else _progress(cloud, stage, one) for one in begun}


def _progress(cloud: Cloud, stage: Stage, comparison: Comparison) -> str:
    newest = cloud.client("dynamodb").query(
        TableName=f"{stage.prefix}-charges",
        KeyConditionExpression="pk = :comparison",
        ExpressionAttributeValues={":comparison": {"S": f"rec_{comparison.name}"}},
        ConsistentRead=True,
        ScanIndexForward=False,
        Limit=1,
    )["Items"]
    if not newest:
        return "not begun"
    (row,) = newest
    if "part" in row:
        return f"{row['part']['N']} of {PARTS} parts compared"
    return f"{int(row['sk']['S'].split()[-1])} pieces of the bank's list read"


def lines(report: Report) -> list[tuple[str, str, str, str]]:
    """Each difference as kind, key (without one, the bank's reference), our side and theirs."""
    return [
        (one["kind"], one["key"] or one["there"]["reference"], _side(one["here"]), _side(one["there"]))
        for one in report.differences
    ]


class NotToResolve(Failure):
    """Nothing that operations may say of this charge: there is none, it is settled, or it is still being asked for."""


def resolve(cloud: Cloud, stage: Stage, charge_id: str, outcome: str, reference: str, now: int) -> str:
    """Queue what was found out at the bank about a charge that is settling for ever; says what it was. NotToResolve."""
    key = {"pk": {"S": charge_id}, "sk": {"S": journals.HEAD}}
    found = cloud.client("dynamodb").get_item(TableName=f"{stage.prefix}-charges", Key=key, ConsistentRead=True)
    if "Item" not in found:
        raise NotToResolve(f"There is no charge {charge_id}.")
    head = {name: next(iter(value.values())) for name, value in found["Item"].items()}
    what = f"{head['purpose']} of {head['amount']} {head['currency']} (minor units)"
    if head["state"] != "settling":
        raise NotToResolve(f"{charge_id}, a {what}, is {head['state']}.")
    if now < int(head["started_at"]) + charges.ASKED_WITHIN:
        hours = charges.ASKED_WITHIN // HOUR
        raise NotToResolve(
            f"{charge_id}, a {what}, is still being asked for: in its first {hours} hours it resolves itself."
        )
    if outcome not in charges.OUTCOMES or (
        outcome != "declined" and (outcome == "refunded") != (head["purpose"] == "refund")
    ):
        raise NotToResolve(f"A {what} is not {outcome}.")
    if (outcome == "declined") is bool(reference):
        raise NotToResolve("What the bank did has a reference, and what it declined has none.")
    if reference and not reference_of(reference):
        raise NotToResolve("A bank's reference is one word of letters, digits, - and _.")
    queues = cloud.client("sqs")
    address = queues.get_queue_url(QueueName=f"{stage.prefix}-charges")["QueueUrl"]
    queues.send_message(QueueUrl=address, MessageBody=ChargeMessage(charge_id, outcome, reference).text())
    return what


def _side(line: dict[str, Any] | None) -> str:
    if not line:
        return "nothing"
    amount = "an amount that the bank cannot count, in" if line["amount"] is None else line["amount"]
    reference = f" ({line['reference']})" if line.get("reference") else ""
    return f"{line['state']} {amount} {line['currency']}{reference}"
