"""The only place where what the local cloud gets differs from what AWS gets, and why.

Not deployed there at all: the stacks `alarms` and `firewall`. Layers, zips, roles, stacks and their ties are the same.
"""

import copy
from typing import Any


def without_what_only_aws_has(template: dict[str, Any]) -> dict[str, Any]:
    """A template for the local cloud."""
    changed = copy.deepcopy(template)
    for resource in changed["Resources"].values():
        # The emulator has no CodeDeploy: the alias moves at once.
        resource["Properties"].pop("DeploymentPreference", None)
        if resource["Type"] == "AWS::IAM::Role":
            _name_batches(resource["Properties"]["Policies"])
    return changed


def _name_batches(policies: list[dict[str, Any]]) -> None:
    """On AWS `sqs:SendMessage` covers SendMessageBatch; the emulator, where it enforces roles, asks for an action of that name."""
    for policy in policies:
        for statement in policy["PolicyDocument"]["Statement"]:
            if "sqs:SendMessage" in statement["Action"]:
                statement["Action"].append("sqs:SendMessageBatch")
