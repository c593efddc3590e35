"""What is kept when everything else is replaced: tables, queues, user pools, secrets, keys and what functions have logged.

Deleting the stack deletes none of what holds data (DeletionPolicy Retain).
"""

import copy
from typing import Any

from billfold import charges
from infra.plan import settings, tables
from infra.plan.queues import STREAMS_DEAD, ordered_names, queue_name, queue_names
from infra.plan.stages import Stage
from infra.plan.steps import Step
from infra.plan.triggers import Stream, Upload, every
from infra.templates import buckets
from infra.templates.words import exempt, logical, output, tags

Resources = dict[str, Any]
RETAINED = {"DeletionPolicy": "Retain", "UpdateReplacePolicy": "Retain"}
# Customers and sellers sign in from one pool; who runs Billfold from another, which always asks for a second factor.
GROUPS = {
    "Users": {
        "operators": "They hand out coupons and redeem them",
        "merchant_admins": "They run merchants of their own",
    },
    "Staff": {"operations": "They run Billfold"},
}
# What shows what a key has sealed.
OPENING = ["kms:Decrypt", "kms:ReEncryptFrom"]
# A message comes again after this long, six times the time-out of the functions that read it, as AWS advises; after five
# receptions it rests in its dead-letter queue for as long as SQS allows. One that waits for a bank is received once an ask.
VISIBILITY_SECONDS = 6 * settings.DEFAULT.timeout_seconds
RECEPTIONS = 5
PATIENT_RECEPTIONS = charges.MAX_ASKS + RECEPTIONS
FOURTEEN_DAYS_SECONDS = 14 * 24 * 3600


def template(stage: Stage, steps: list[Step]) -> dict[str, Any]:
    """The stack `kept`."""
    resources: Resources = {}
    outputs: dict[str, Any] = {}
    for table in tables.of_stage(sandbox=stage.sandbox):
        _add_table(stage, table, resources, outputs)
    patient = {name for step in steps for name in step.may.postpones}
    for name in queue_names(sandbox_bank=stage.sandbox):
        _add_queue(stage, name, PATIENT_RECEPTIONS if name in patient else RECEPTIONS, resources, outputs)
    _put_queue(stage, STREAMS_DEAD, {}, resources, outputs)
    _add_people(stage, resources, outputs)
    _add_secrets(stage, resources)
    opening = [step.function(stage.prefix) for step in steps if {"Decrypt:card", "Decrypt:photo"} & set(step.may.kms)]
    for generation in stage.vault_keys:
        _add_vault_keys(stage, generation, opening, resources, outputs)
    for upload in every(Upload):
        resources |= buckets.of_uploads(stage, upload)
    resources |= {logical(step.name, "logs"): _logs(stage, step) for step in steps}
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": f"Billfold {stage.name}: tables, queues and identities, which outlive every deployment",
        "Resources": resources,
        "Outputs": outputs,
    }


def _add_table(stage: Stage, table: tables.Table, resources: Resources, outputs: dict[str, Any]) -> None:
    properties = tables.definition(table, f"{stage.prefix}-{table.name}") | {
        "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True},
        "SSESpecification": {"SSEEnabled": True},
        "DeletionProtectionEnabled": not stage.sandbox,
        "Tags": tags(stage),
    }
    if table.ttl:
        properties["TimeToLiveSpecification"] = {"AttributeName": table.ttl, "Enabled": True}
    name = logical(table.name, "table")
    if table.name in [stream.table for stream in every(Stream)]:
        # Followers read what was inserted; nothing reads what a row was before.
        properties["StreamSpecification"] = {"StreamViewType": "NEW_IMAGE"}
        outputs[f"{name}Stream"] = output(stage, f"stream-{table.name}", {"Fn::GetAtt": [name, "StreamArn"]})
    resources[name] = {"Type": "AWS::DynamoDB::Table", **RETAINED, "Properties": properties}


def _add_queue(stage: Stage, name: str, receptions: int, resources: Resources, outputs: dict[str, Any]) -> None:
    """A queue and its dead-letter queue. In a FIFO queue messages keep their order within a log, and no log waits for another."""
    dead = _put_queue(stage, f"{name}-dead", {}, resources, outputs)
    scope = {"DeduplicationScope": "messageGroup", "FifoThroughputLimit": "perMessageGroupId"}
    redrive = {"deadLetterTargetArn": {"Fn::GetAtt": [dead, "Arn"]}, "maxReceiveCount": receptions}
    own = {"VisibilityTimeout": VISIBILITY_SECONDS, "RedrivePolicy": redrive}
    _put_queue(stage, name, own | (scope if name in ordered_names() else {}), resources, outputs)


def _put_queue(
    stage: Stage, name: str, properties: dict[str, Any], resources: Resources, outputs: dict[str, Any]
) -> str:
    """A queue, retained and encrypted, and what others import of it; answers with its logical name."""
    queue, full_name = logical(name, "queue"), queue_name(stage.prefix, name)
    fifo = {"FifoQueue": True} if full_name.endswith(".fifo") else {}
    resources[queue] = {
        "Type": "AWS::SQS::Queue",
        **RETAINED,
        "Properties": {
            "QueueName": full_name,
            "MessageRetentionPeriod": FOURTEEN_DAYS_SECONDS,
            "SqsManagedSseEnabled": True,
            "Tags": tags(stage),
            **fifo,
            **properties,
        },
    }
    outputs[queue] = output(stage, f"queue-{name}-arn", {"Fn::GetAtt": [queue, "Arn"]})
    outputs[f"{queue}Url"] = output(stage, f"queue-{name}-url", {"Ref": queue})
    return queue


def unprotected(template: dict[str, Any]) -> dict[str, Any]:
    """The same without protection against deletion: a first creation that fails could not take back what it made."""
    bare: dict[str, Any] = copy.deepcopy(template)
    for resource in bare["Resources"].values():
        if resource["Type"] == "AWS::DynamoDB::Table":
            resource["Properties"]["DeletionProtectionEnabled"] = False
        if resource["Type"] == "AWS::Cognito::UserPool":
            resource["Properties"]["DeletionProtection"] = "INACTIVE"
    return bare


def _add_people(stage: Stage, resources: Resources, outputs: dict[str, Any]) -> None:
    """Both pools. A sandbox's staff may do without a second factor, because its scripts cannot show one."""
    _add_pool(stage, "Users", stage.prefix, "OPTIONAL", "phones", resources)
    _add_pool(stage, "Staff", f"{stage.prefix}-staff", "OPTIONAL" if stage.sandbox else "ON", "staff", resources)
    outputs["UserPool"] = output(stage, "user-pool", {"Ref": "Users"})
    outputs["UserPoolArn"] = output(stage, "user-pool-arn", {"Fn::GetAtt": ["Users", "Arn"]})
    outputs["UserPoolClient"] = output(stage, "user-pool-client", {"Ref": "Phones"})
    outputs["StaffPool"] = output(stage, "staff-pool", {"Ref": "Staff"})
    outputs["StaffPoolArn"] = output(stage, "staff-pool-arn", {"Fn::GetAtt": ["Staff", "Arn"]})
    outputs["StaffPoolClient"] = output(stage, "staff-pool-client", {"Ref": "StaffClient"})


def _add_pool(stage: Stage, pool: str, name: str, second_factor: str, client: str, resources: Resources) -> None:
    resources[pool] = {
        "Type": "AWS::Cognito::UserPool",
        **RETAINED,
        "Properties": {
            "UserPoolName": name,
            "DeletionProtection": "INACTIVE" if stage.sandbox else "ACTIVE",
            "MfaConfiguration": second_factor,
            "EnabledMfas": ["SOFTWARE_TOKEN_MFA"],
            "Policies": {
                "PasswordPolicy": {
                    "MinimumLength": 14,
                    "RequireLowercase": True,
                    "RequireUppercase": True,
                    "RequireNumbers": True,
                    "RequireSymbols": False,
                    "TemporaryPasswordValidityDays": 3,
                }
            },
            "AdminCreateUserConfig": {"AllowAdminCreateUserOnly": True},
        },
    }
    # A password in the clear is for the sandbox's scripts; a phone proves it by SRP and never sends it.
    flows = ["ALLOW_REFRESH_TOKEN_AUTH", "ALLOW_USER_SRP_AUTH"] + ["ALLOW_USER_PASSWORD_AUTH"] * stage.sandbox
    resources["Phones" if pool == "Users" else "StaffClient"] = {
        "Type": "AWS::Cognito::UserPoolClient",
        "Properties": {
            "UserPoolId": {"Ref": pool},
            "ClientName": client,
            "GenerateSecret": False,
            "ExplicitAuthFlows": flows,
            "PreventUserExistenceErrors": "ENABLED",
            "EnableTokenRevocation": True,
            "IdTokenValidity": 60,
            "AccessTokenValidity": 60,
            "RefreshTokenValidity": 30,
            "TokenValidityUnits": {"IdToken": "minutes", "AccessToken": "minutes", "RefreshToken": "days"},
        },
    }
    for group, about in GROUPS[pool].items():
        resources[logical(group, "group")] = {
            "Type": "AWS::Cognito::UserPoolGroup",
            "Properties": {"UserPoolId": {"Ref": pool}, "GroupName": group, "Description": about},
        }


def _add_secrets(stage: Stage, resources: Resources) -> None:
    generated = {"PasswordLength": 64, "ExcludePunctuation": True}
    resources["CursorKey"] = _secret(stage, "cursor-key", "Signs the cursors of lists", generated)
    about = "Keys the fingerprints of a person, a code, and what a photo shows; changed, it forgets them"
    resources["FingerprintKey"] = _secret(stage, "fingerprint-key", about, generated)
    if stage.sandbox:
        about = "What the sandbox bank and Billfold derive their keys from"
        resources["SandboxBankSecret"] = _secret(stage, "sandbox-bank", about, generated)
    else:
        # Operations put the real ones in their place; until then Stripe refuses every call, and nothing is approved.
        template = {"SecretStringTemplate": '{"key": "not set"}', "GenerateStringKey": "webhook_secret"}
        about = "Stripe's secret key and webhook secret"
        resources["StripeSecret"] = _secret(stage, "stripe", about, generated | template)


def _secret(stage: Stage, name: str, about: str, generated: dict[str, Any]) -> dict[str, Any]:
    properties = {"Description": about, "GenerateSecretString": generated, "Tags": tags(stage)}
    return {
        "Type": "AWS::SecretsManager::Secret",
        **RETAINED,
        "Properties": {"Name": f"{stage.prefix}-{name}", **properties},
    }


def _add_vault_keys(
    stage: Stage, generation: str, opening: list[str], resources: Resources, outputs: dict[str, Any]
) -> None:
    """One generation of the vault's two keys: what seals card numbers, and what their fingerprints are made with.

    KMS lets roles use them as their policies say (`kms:*` for the account means that IAM decides), but nobody opens what is
    sealed, an administrator neither, save the functions whose header says so.
    """
    account = "arn:${AWS::Partition}:iam::${AWS::AccountId}"
    root, roles = {"Fn::Sub": f"{account}:root"}, [{"Fn::Sub": f"{account}:role/{name}"} for name in opening]
    allowed = {"Effect": "Allow", "Principal": {"AWS": root}, "Action": "kms:*", "Resource": "*"}
    denied = {
        "Sid": "OnlyTheseRolesOpen",
        "Effect": "Deny",
        "Principal": "*",
        "Action": OPENING,
        "Resource": "*",
        "Condition": {"StringNotEquals": {"aws:PrincipalArn": roles}},
    }
    statements = {"vault": [allowed, denied], "fingerprints": [allowed]}
    kinds: dict[str, dict[str, Any]] = {
        "vault": {"EnableKeyRotation": True},
        "fingerprints": {"KeySpec": "HMAC_256", "KeyUsage": "GENERATE_VERIFY_MAC"},
    }
    exempted = {"fingerprints": exempt("CKV_AWS_7", "KMS does not rotate HMAC keys; generations of ours do")}
    for kind, properties in kinds.items():
        name = logical(kind, "key", generation)
        resources[name] = {
            "Type": "AWS::KMS::Key",
            **RETAINED,
            **exempted.get(kind, {}),
            "Properties": {
                "Description": f"Billfold {stage.name}: {kind}, generation {generation}",
                "KeyPolicy": {"Version": "2012-10-17", "Statement": statements[kind]},
                "PendingWindowInDays": 30,
                "Tags": tags(stage),
                **properties,
            },
        }
        outputs[name] = output(stage, f"key-{kind}-{generation}", {"Fn::GetAtt": [name, "Arn"]})


def _logs(stage: Stage, step: Step) -> dict[str, Any]:
    return {
        "Type": "AWS::Logs::LogGroup",
        **RETAINED,
        "Properties": {
            "LogGroupName": f"/aws/lambda/{step.function(stage.prefix)}",
            "RetentionInDays": stage.log_days,
            "Tags": tags(stage),
        },
    }
