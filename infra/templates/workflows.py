"""A workflow's functions: each step with its own role, version and alias `live`, and what triggers it.

A role allows what the step's header says in `May`, on exactly those tables, indexes and queues, and nothing else.
"""

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from infra.plan.queues import STREAMS_DEAD, queue_name
from infra.plan.stages import Stage
from infra.plan.steps import SANDBOX_BANK, Step
from infra.plan.triggers import Queue, Schedule, Stream, Upload
from infra.templates.gateway import STAGE_NAME
from infra.templates.words import ALIAS, arn, bucket_name, imported, logical, machine_arn, table_arn, tags

Statement = dict[str, Any]
# What the stack of the sandbox bank's API exports.
ADDRESS = "sandbox-bank-address"
# A record that cannot be understood is laid among the dead letters by the step itself. What fails then is a whole function or
# SQS, so the batch is tried again for an hour, halved each time; after that Lambda notes it there too, and goes on.
STREAM_RETRIES, STREAM_PATIENCE_SECONDS = -1, 3600
# The two kinds of keys of the vault, and what each is for.
KEYS = {"vault": {"GenerateDataKey", "Decrypt"}, "fingerprints": {"GenerateMac"}}
# What a stage need not say: docs/operations.md has each, and what holds without it.
MAY_BE_SAID = ("BILLFOLD_BACK_OFF_MS", "BILLFOLD_CLOSED_CURRENCIES", "BILLFOLD_PIN_COST", "BILLFOLD_STRIPE_RETURN_URL")
# The one action on a bucket itself, not on its objects.
LIST = "ListBucket"


@dataclass(frozen=True)
class Code:
    """What a function runs: its zip in a bucket, and the layers' version ARNs."""

    bucket: str
    key: str
    layers: tuple[str, ...]


def stack_name(stage: Stage, workflow: str) -> str:
    """The stack of a workflow's functions."""
    return f"{stage.prefix}-steps-{workflow.replace('_', '-')}"


def template(stage: Stage, workflow: str, steps: list[Step], codes: dict[str, Code]) -> dict[str, Any]:
    """The stack of one workflow (a folder of `functions/`)."""
    resources: dict[str, Any] = {}
    for step in steps:
        resources |= of_step(stage, step, codes[step.name])
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Transform": "AWS::Serverless-2016-10-31",
        "Description": f"Billfold {stage.name}: the steps of {workflow}",
        "Resources": resources,
    }


def of_step(stage: Stage, step: Step, code: Code) -> dict[str, Any]:
    """All that a step's stack holds of it; its log group, which outlives it, is in `kept`."""
    return {logical(step.name, "role"): _role(stage, step), logical(step.name): _function(stage, step, code)}


def _function(stage: Stage, step: Step, code: Code) -> dict[str, Any]:
    settings = step.settings(stage)
    # What Lambda keeps in a version; for a change of all else it publishes none, and an alias that waits for one fails.
    versioned: dict[str, Any] = {
        "Description": step.summary,
        "Handler": step.handler,
        "Runtime": stage.target.runtime,
        "Architectures": [stage.target.architecture],
        "CodeUri": {"Bucket": code.bucket, "Key": code.key},
        "Layers": list(code.layers),
        "MemorySize": settings.memory_mib,
        "Timeout": settings.timeout_seconds,
        "Environment": {"Variables": environment(stage, step)},
    }
    properties: dict[str, Any] = versioned | {
        "FunctionName": step.function(stage.prefix),
        "Role": {"Fn::GetAtt": [logical(step.name, "role"), "Arn"]},
        "AutoPublishAlias": ALIAS,
        "AutoPublishCodeSha256": hashlib.sha256(json.dumps(versioned, sort_keys=True).encode()).hexdigest(),
        # Earlier versions stay, so that `rollback` has somewhere to go.
        "VersionDeletionPolicy": "Retain",
        "Tags": {tag["Key"]: tag["Value"] for tag in tags(stage)},
    }
    if settings.concurrency is not None:
        properties["ReservedConcurrentExecutions"] = settings.concurrency
    if stage.gradual:
        properties["DeploymentPreference"] = {
            "Type": stage.gradual,
            "Alarms": [f"{step.function(stage.prefix)}-{kind}" for kind in ("errors", "faults")],
        }
    event = _event(stage, step, settings.concurrency)
    if event:
        properties["Events"] = {"Trigger": event}
    return {"Type": "AWS::Serverless::Function", "Properties": properties}


def environment(stage: Stage, step: Step) -> dict[str, Any]:
    """A function's environment: only what this step reads, and what a stage may say to all of them."""
    variables: dict[str, Any] = {
        "BILLFOLD_PREFIX": stage.prefix,
        "POWERTOOLS_SERVICE_NAME": "billfold",
        "POWERTOOLS_LOG_LEVEL": "INFO",
    }
    variables |= {name: stage.variables[name] for name in MAY_BE_SAID if name in stage.variables}
    if stage.sandbox:
        variables["BILLFOLD_SANDBOX"] = "1"
    for queue in dict.fromkeys((*sendable(step), *step.may.postpones)):
        variables[f"BILLFOLD_QUEUE_{queue.upper().replace('-', '_')}"] = imported(stage, f"queue-{queue}-url")
    if step.may.kms or step.may.generations:
        variables["BILLFOLD_VAULT_KEYS"] = stage.variables["BILLFOLD_VAULT_KEYS"]
        for kind, used in KEYS.items():
            for generation in stage.vault_keys if used & {action.partition(":")[0] for action in step.may.kms} else ():
                variables[f"BILLFOLD_KEY_{kind.upper()}_{generation}"] = imported(stage, f"key-{kind}-{generation}")
    if step.may.reader:
        variables["BILLFOLD_CARD_READER"] = stage.variables["BILLFOLD_CARD_READER"]
    for bucket in step.may.buckets:
        variables[f"BILLFOLD_BUCKET_{bucket.upper()}"] = bucket_name(stage, bucket)
    for machine in step.may.machines:
        variables[f"BILLFOLD_MACHINE_{machine.upper()}"] = machine_arn(stage, machine)
    if step.verifies_dpop:
        variables["BILLFOLD_ADDRESSES"] = _addresses(stage)
    if step.may.bank or step.may.issuers:
        variables["BILLFOLD_ISSUERS"] = stage.variables["BILLFOLD_ISSUERS"]
    if step.may.top_ups:
        variables["BILLFOLD_TOP_UPS"] = stage.variables["BILLFOLD_TOP_UPS"]
    if step.may.bank and stage.sandbox:
        variables["BILLFOLD_SANDBOX_BANK_ADDRESS"] = imported(stage, ADDRESS)
    return variables


def _addresses(stage: Stage) -> dict[str, str]:
    """Where phones call this stage: at its API's own address, of which the gateway tells each function the API's id with the call,
    since the API is made after the functions; and where the configuration says, at a custom domain with its base path."""
    own = f"https://{{api}}.execute-api.${{AWS::Region}}.${{AWS::URLSuffix}}/{STAGE_NAME}"
    return {"Fn::Sub": " ".join([own, *stage.variables.get("BILLFOLD_ADDRESSES", "").split()])}


def secrets(stage: Stage, step: Step) -> list[str]:
    """The secrets that a step fetches while it runs: none is in an environment."""
    found = ["cursor-key"] * step.signs_cursors + ["fingerprint-key"] * step.seals_fingerprints
    if step.may.bank or step.workflow == SANDBOX_BANK:
        found.append("sandbox-bank" if stage.sandbox else "stripe")
    return found


def sendable(step: Step) -> list[str]:
    """The queues that a step sends to: those of its header, and the dead letters of its own trigger."""
    return [*step.may.queues, *([step.dead_letters] if step.dead_letters else [])]


def _event(stage: Stage, step: Step, concurrency: int | None) -> dict[str, Any] | None:
    if isinstance(step.trigger, Queue):
        properties: dict[str, Any] = {
            "Queue": imported(stage, f"queue-{step.trigger.name}-arn"),
            "BatchSize": step.trigger.batch,
            "FunctionResponseTypes": ["ReportBatchItemFailures"],
            # Without it a backlog takes the account's whole concurrency, and messages that are throttled count as received.
            "ScalingConfig": {"MaximumConcurrency": min(step.trigger.at_once, concurrency or step.trigger.at_once)},
        }
        return {"Type": "SQS", "Properties": properties}
    if isinstance(step.trigger, Stream):
        return {
            "Type": "DynamoDB",
            "Properties": {
                "Stream": imported(stage, f"stream-{step.trigger.table}"),
                "StartingPosition": "TRIM_HORIZON",
                "BatchSize": step.trigger.batch,
                "BisectBatchOnFunctionError": True,
                "MaximumRetryAttempts": STREAM_RETRIES,
                "MaximumRecordAgeInSeconds": STREAM_PATIENCE_SECONDS,
                "DestinationConfig": {"OnFailure": {"Destination": imported(stage, f"queue-{STREAMS_DEAD}-arn")}},
                "FunctionResponseTypes": ["ReportBatchItemFailures"],
                "FilterCriteria": {"Filters": [{"Pattern": '{"eventName": ["INSERT"]}'}]},
            },
        }
    if isinstance(step.trigger, Upload):
        # By EventBridge: told directly, the bucket's stack and the function's would each need the other first.
        told = {"bucket": {"name": [bucket_name(stage, step.trigger.bucket)]}}
        pattern = {"source": ["aws.s3"], "detail-type": ["Object Created"], "detail": told}
        return {"Type": "EventBridgeRule", "Properties": {"Pattern": pattern}}
    if isinstance(step.trigger, Schedule):
        return {"Type": "Schedule", "Properties": {"Schedule": step.trigger.expression}}
    return None


def _role(stage: Stage, step: Step) -> dict[str, Any]:
    lambda_only = {
        "Effect": "Allow",
        "Principal": {"Service": "lambda.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }
    policy = {"PolicyName": "may", "PolicyDocument": {"Version": "2012-10-17", "Statement": statements(stage, step)}}
    return {
        "Type": "AWS::IAM::Role",
        "Properties": {
            # Said, because the vault's key names the roles that may open what it sealed.
            "RoleName": step.function(stage.prefix),
            "Description": f"What {step.name} may touch",
            "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [lambda_only]},
            "Policies": [policy],
            "Tags": tags(stage),
        },
    }


def statements(stage: Stage, step: Step) -> list[Statement]:
    """A role's statements: own log group, own trigger, and what `May` says."""
    group = arn("logs", f"log-group:/aws/lambda/{step.function(stage.prefix)}:*")
    found = [_allow(["logs:CreateLogStream", "logs:PutLogEvents"], group)]
    if isinstance(step.trigger, Queue):
        actions = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"]
        found.append(_allow(actions, arn("sqs", queue_name(stage.prefix, step.trigger.name))))
    if isinstance(step.trigger, Stream):
        actions = ["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"]
        found.append(_allow(actions, imported(stage, f"stream-{step.trigger.table}")))
        # ListStreams knows no resource narrower than a table's streams.
        found.append(
            _allow(["dynamodb:ListStreams"], arn("dynamodb", f"table/{stage.prefix}-{step.trigger.table}/stream/*"))
        )
    for (table, index), actions_on in step.may.actions.items():
        found.append(_allow([f"dynamodb:{action}" for action in actions_on], table_arn(stage, table, index)))
    for queue in sendable(step):
        found.append(_allow(["sqs:SendMessage"], arn("sqs", queue_name(stage.prefix, queue))))
    for secret in secrets(stage, step):
        # Secrets Manager ends each ARN with six characters of its own.
        found.append(
            _allow(["secretsmanager:GetSecretValue"], arn("secretsmanager", f"secret:{stage.prefix}-{secret}-??????"))
        )
    for queue in step.may.postpones:
        found.append(_allow(["sqs:ChangeMessageVisibility"], arn("sqs", f"{stage.prefix}-{queue}")))
    for action in step.may.kms:
        found.append(_with_keys(stage, *action.split(":")))
    for bucket, allowed in step.may.buckets.items():
        whole = f"arn:${{AWS::Partition}}:s3:::{bucket_name(stage, bucket)['Fn::Sub']}"
        if on_objects := [f"s3:{action}" for action in allowed if action != LIST]:
            found.append(_allow(on_objects, {"Fn::Sub": f"{whole}/*"}))
        if LIST in allowed:
            # Who may not list is told of no object that it is absent, but that it is forbidden.
            found.append(_allow([f"s3:{LIST}"], {"Fn::Sub": whole}))
    if step.may.reader and stage.variables["BILLFOLD_CARD_READER"] == "textract":
        # Textract knows no resources.
        found.append(_allow(["textract:DetectDocumentText"], "*"))
    for machine, allowed in step.may.machines.items():
        found.append(_allow([f"states:{action}" for action in allowed], machine_arn(stage, machine)))
    return found


def _with_keys(stage: Stage, action: str, sealed: str = "") -> Statement:
    """An action with the vault's keys; on the kind of thing that `sealed` names, which is the key of KMS's encryption context."""
    kind = next(kind for kind, used in KEYS.items() if action in used)
    allowed = _allow(
        [f"kms:{action}"], [imported(stage, f"key-{kind}-{generation}") for generation in stage.vault_keys]
    )
    if sealed:
        context = "kms:EncryptionContextKeys"
        # `ForAllValues` alone is true of no context at all.
        allowed["Condition"] = {"ForAllValues:StringEquals": {context: [sealed]}, "Null": {context: "false"}}
    return allowed


def _allow(actions: list[str], resource: Any) -> Statement:
    return {"Effect": "Allow", "Action": actions, "Resource": resource}
