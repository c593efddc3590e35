"""The sandbox bank's own REST API, in sandbox stages only: a stack, an address and no authorizer of Billfold's.

All its calls go to one step, which checks the bank's key itself. Its functions have a stack of their own like any workflow's.
"""

import hashlib
import json
from typing import Any

from infra.plan.stages import Stage
from infra.plan.steps import Step
from infra.plan.triggers import BankCalls
from infra.templates import gateway
from infra.templates.words import logical, output, tags
from infra.templates.workflows import ADDRESS


def template(stage: Stage, steps: list[Step]) -> dict[str, Any]:
    """The stack `sandbox-bank`."""
    assert stage.sandbox, "the sandbox bank is for sandbox stages"
    shown: dict[str, Any] = {}
    permissions: dict[str, Any] = {}
    for step in steps:
        for route in step.trigger.routes if isinstance(step.trigger, BankCalls) else ():
            name = logical(route.method.lower(), route.path.rpartition("/")[2])
            shown[f"{name}Method"] = gateway.method(stage, step, route, gateway.add_resource(shown, route.path))
            permissions[f"{name}Permission"] = gateway.permission(stage, step, route)
    seen = hashlib.sha256(json.dumps(shown, sort_keys=True).encode()).hexdigest()[:12]
    deployment = f"Deployment{seen}"
    address = f"https://${{Api}}.execute-api.${{AWS::Region}}.${{AWS::URLSuffix}}/{gateway.STAGE_NAME}"
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": f"Billfold {stage.name}: the sandbox bank's API",
        "Resources": {
            "Api": _api(stage),
            **shown,
            deployment: {
                "Type": "AWS::ApiGateway::Deployment",
                "DependsOn": sorted(name for name, one in shown.items() if one["Type"] == "AWS::ApiGateway::Method"),
                "Properties": {"RestApiId": {"Ref": "Api"}},
            },
            "Stage": gateway.stage_of_api(stage, deployment),
            **permissions,
        },
        "Outputs": {
            "Api": {"Value": {"Ref": "Api"}},
            "Address": output(stage, ADDRESS, {"Fn::Sub": address}),
        },
    }


def _api(stage: Stage) -> dict[str, Any]:
    return {
        "Type": "AWS::ApiGateway::RestApi",
        "Properties": {
            "Name": f"{stage.prefix}-sandbox-bank",
            "EndpointConfiguration": {"Types": ["REGIONAL"]},
            "Tags": tags(stage),
        },
    }
