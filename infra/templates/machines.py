"""State machines: each in a stack of its own, from its file
`infra/plan/<name>.asl.json`, where `${step}` stands for a step's alias.

A machine names its functions, so a step is deployed without its machine and a machine without its steps. Its executions go on
by the definition they began with. Its log tells failures with ids only, never an input or output.
"""

import json
from typing import Any

from infra.plan.stages import Stage
from infra.plan.state_machines import tasks
from infra.templates.words import ALIAS, alias_arn, machine_arn, machine_name, tags

# A role that lets a service deliver logs cannot name what it delivers to: these actions know no resource.
LOG_DELIVERY = [
    "logs:CreateLogDelivery",
    "logs:DeleteLogDelivery",
    "logs:DescribeLogGroups",
    "logs:DescribeResourcePolicies",
    "logs:GetLogDelivery",
    "logs:ListLogDeliveries",
    "logs:PutResourcePolicy",
    "logs:UpdateLogDelivery",
]


def stack_name(stage: Stage, machine: str) -> str:
    """The stack of a state machine."""
    return f"{stage.prefix}-machine-{machine.replace('_', '-')}"


def template(stage: Stage, machine: str, definition: dict[str, Any]) -> dict[str, Any]:
    """The stack of one state machine: the machine, its role, its log group."""
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": f"Billfold {stage.name}: the state machine {machine}",
        "Resources": {
            "Logs": _logs(stage, machine),
            "Role": _role(stage, machine, definition),
            "Machine": {
                "Type": "AWS::StepFunctions::StateMachine",
                "Properties": {
                    "StateMachineName": machine_name(stage, machine),
                    "StateMachineType": "STANDARD",
                    "RoleArn": {"Fn::GetAtt": ["Role", "Arn"]},
                    "DefinitionString": rendered(stage, definition),
                    "LoggingConfiguration": {
                        "Level": "ERROR",
                        "IncludeExecutionData": False,
                        "Destinations": [{"CloudWatchLogsLogGroup": {"LogGroupArn": {"Fn::GetAtt": ["Logs", "Arn"]}}}],
                    },
                    "TracingConfiguration": {"Enabled": False},
                    "Tags": tags(stage),
                },
            },
        },
    }


def rendered(stage: Stage, definition: dict[str, Any]) -> dict[str, Any]:
    """The definition as text, with each `${step}` the ARN of that step's alias."""
    text = json.dumps(definition, indent=1).replace('"arn:aws:', '"arn:${AWS::Partition}:')
    return {"Fn::Sub": [text, {name: alias_arn(stage, name) for name in sorted(tasks(definition))}]}


def _role(stage: Stage, machine: str, definition: dict[str, Any]) -> dict[str, Any]:
    this_machine_only = {
        "Effect": "Allow",
        "Principal": {"Service": "states.amazonaws.com"},
        "Action": "sts:AssumeRole",
        "Condition": {
            "StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}},
            "ArnEquals": {"aws:SourceArn": machine_arn(stage, machine)},
        },
    }
    functions = [alias_arn(stage, name) for name in sorted(tasks(definition))]
    statements = [
        {"Effect": "Allow", "Action": ["lambda:InvokeFunction"], "Resource": functions},
        {"Effect": "Allow", "Action": LOG_DELIVERY, "Resource": "*"},
    ]
    policy = {"PolicyName": "may", "PolicyDocument": {"Version": "2012-10-17", "Statement": statements}}
    return {
        "Type": "AWS::IAM::Role",
        "Properties": {
            "Description": f"The functions that {machine} calls, by their alias {ALIAS}",
            "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [this_machine_only]},
            "Policies": [policy],
            "Tags": tags(stage),
        },
    }


def _logs(stage: Stage, machine: str) -> dict[str, Any]:
    return {
        "Type": "AWS::Logs::LogGroup",
        "DeletionPolicy": "Retain",
        "UpdateReplacePolicy": "Retain",
        "Properties": {
            # Under this prefix AWS needs no line in the account's resource policy, whose length is limited.
            "LogGroupName": f"/aws/vendedlogs/states/{machine_name(stage, machine)}",
            "RetentionInDays": stage.log_days,
            "Tags": tags(stage),
        },
    }
