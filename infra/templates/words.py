"""The few turns of phrase that every template uses."""

import json
from typing import Any

from infra.plan.stages import Stage

MAX_RESOURCES = 500
ALIAS = "live"


def logical(*words: str) -> str:
    """open_bill, role -> OpenBillRole."""
    return "".join(part.capitalize() for word in words for part in word.replace("-", "_").split("_"))


def imported(stage: Stage, name: str) -> dict[str, str]:
    """What another stack of this stage exports."""
    return {"Fn::ImportValue": f"{stage.prefix}-{name}"}


def output(stage: Stage, name: str, value: Any) -> dict[str, Any]:
    """An output that other stacks of this stage may import."""
    return {"Value": value, "Export": {"Name": f"{stage.prefix}-{name}"}}


def arn(kind: str, rest: str) -> dict[str, str]:
    """An ARN of this account and region."""
    return {"Fn::Sub": f"arn:${{AWS::Partition}}:{kind}:${{AWS::Region}}:${{AWS::AccountId}}:{rest}"}


def table_arn(stage: Stage, name: str, index: str = "") -> dict[str, str]:
    """A table's ARN, or one of its indexes'."""
    return arn("dynamodb", f"table/{stage.prefix}-{name}" + (f"/index/{index}" if index else ""))


def bucket_name(stage: Stage, name: str) -> dict[str, str]:
    """A bucket's name, which all accounts share: it carries the account and region."""
    return {"Fn::Sub": f"{stage.prefix}-{name}-${{AWS::AccountId}}-${{AWS::Region}}"}


def alias_arn(stage: Stage, step: str) -> dict[str, str]:
    """The ARN of a step's function under its alias."""
    return arn("lambda", f"function:{stage.prefix}-{step.replace('_', '-')}:{ALIAS}")


def machine_name(stage: Stage, name: str) -> str:
    """bank_authentication -> billfold-bank-authentication."""
    return f"{stage.prefix}-{name.replace('_', '-')}"


def machine_arn(stage: Stage, name: str) -> dict[str, str]:
    """A state machine's ARN."""
    return arn("states", f"stateMachine:{machine_name(stage, name)}")


def tags(stage: Stage) -> list[dict[str, str]]:
    """What the bill of AWS is read by."""
    return [{"Key": "app", "Value": "billfold"}, {"Key": "stage", "Value": stage.name}]


def exempt(check: str, reason: str) -> dict[str, Any]:
    """A resource's metadata: this check of checkov's does not apply to it."""
    return {"Metadata": {"checkov": {"skip": [{"id": check, "comment": reason}]}}}


def text(template: dict[str, Any]) -> str:
    """A template as it is sent and written out."""
    return json.dumps(template, indent=1)
