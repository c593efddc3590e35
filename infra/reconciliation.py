"""What the daily comparison with each bank found, as operations read it; and their word on a charge that nobody else resolves."""

import json
from dataclasses import dataclass
from typing import Any

from billfold import charges
from billfold.banks import reference_of
from billfold.clock import HOUR
from billfold.tables import journals
from infra.clouds import Cloud
from infra.stacks import DeploymentFailed
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


def compare_anew(cloud: Cloud, stage: Stage, day: str, now: int) -> int:
    """Take a UTC day's reports away and have every day without a report compared; how many differences that found.

    DeploymentFailed for a day that would not be compared again, and of which the report would be gone.
    """
    if day not in {one.name for one in charges.days_to_compare(now)}:
        raise DeploymentFailed(
            f"{day} is none of the last {charges.LOOKS_BACK_DAYS} UTC days: it would not be compared"
        )
    table = cloud.client("dynamodb")
    for report in reports(cloud, stage, day):
        table.delete_item(
            TableName=f"{stage.prefix}-charges", Key={"pk": {"S": f"rec_{day}"}, "sk": {"S": report.bank}}
        )
    function = f"{stage.prefix}-reconcile-charges:live"
    answer = cloud.client("lambda").invoke(FunctionName=function, Payload=b"{}")
    if answer.get("FunctionError"):
        raise DeploymentFailed("a bank did not answer; what could be compared is reported")
    return int(json.loads(answer["Payload"].read())["found"])


def lines(report: Report) -> list[tuple[str, str, str, str]]:
    """Each difference as kind, key (without one, the bank's reference), our side and theirs."""
    return [
        (one["kind"], one["key"] or one["there"]["reference"], _side(one["here"]), _side(one["there"]))
        for one in report.differences
    ]


class NotToResolve(Exception):
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
    queues.send_message(QueueUrl=address, MessageBody=f"{charge_id} {outcome} {reference}".strip())
    return what


def _side(line: dict[str, Any] | None) -> str:
    if not line:
        return "nothing"
    amount = "an amount that the bank cannot count, in" if line["amount"] is None else line["amount"]
    reference = f" ({line['reference']})" if line.get("reference") else ""
    return f"{line['state']} {amount} {line['currency']}{reference}"
