"""The only place where what the local cloud gets differs from what AWS gets, and why.

Not deployed there at all: the stacks `alarms` and `firewall`. Layers, zips, roles, stacks and their ties are the same.
What code must know of the emulator's state machines: a name that was started already is always refused, with
ExecutionAlreadyExists (AWS answers the same execution while it runs on the same input), and a token that is used or unknown
is always TaskDoesNotExist (AWS: TaskTimedOut or InvalidToken).
"""

import copy
import json
from typing import Any

# How long a state machine's task waits for its token there, whatever its input says.
WAIT_SECONDS = 5


def without_what_only_aws_has(template: dict[str, Any], endpoint: str = "") -> dict[str, Any]:
    """A template for the local cloud at `endpoint`."""
    changed = copy.deepcopy(template)
    address = changed.get("Outputs", {}).get("Address")
    if address:
        # The emulator serves every API at its own address.
        path = address["Value"]["Fn::Sub"].rpartition("/")[2]
        address["Value"] = {"Fn::Sub": f"{endpoint}/_aws/execute-api/${{Api}}/{path}"}
    # Loopback has no TLS, which the buckets' policies ask for; there is nothing else in them.
    for name in [name for name, one in changed["Resources"].items() if one["Type"] == "AWS::S3::BucketPolicy"]:
        del changed["Resources"][name]
    for resource in changed["Resources"].values():
        # The emulator has no CodeDeploy: the alias moves at once.
        resource["Properties"].pop("DeploymentPreference", None)
        variables = resource["Properties"].get("Environment", {}).get("Variables", {})
        if "BILLFOLD_ADDRESSES" in variables:
            path = variables["BILLFOLD_ADDRESSES"]["Fn::Sub"].split()[0].rpartition("/")[2]
            variables["BILLFOLD_ADDRESSES"] = f"{endpoint}/_aws/execute-api/{{api}}/{path}"
        if resource["Type"] == "AWS::IAM::Role":
            _name_batches(resource["Properties"]["Policies"])
            _allow_tokens(resource["Properties"]["Policies"])
            _forget_contexts(resource["Properties"]["Policies"])
        if resource["Type"] == "AWS::KMS::Key":
            _name_sessions(resource["Properties"]["KeyPolicy"]["Statement"])
        if resource["Type"] == "AWS::StepFunctions::StateMachine":
            _wait_fixed_times(resource["Properties"]["DefinitionString"]["Fn::Sub"])
    return changed


def _name_batches(policies: list[dict[str, Any]]) -> None:
    """On AWS `sqs:SendMessage` covers SendMessageBatch; the emulator, where it enforces roles, asks for an action of that name."""
    for policy in policies:
        for statement in policy["PolicyDocument"]["Statement"]:
            if "sqs:SendMessage" in statement["Action"]:
                statement["Action"].append("sqs:SendMessageBatch")


def _allow_tokens(policies: list[dict[str, Any]]) -> None:
    """AWS knows a token's state machine and asks for leave on that; the emulator, enforcing roles, asks for leave on `*`."""
    for policy in policies:
        statements = policy["PolicyDocument"]["Statement"]
        if any("states:SendTaskSuccess" in statement["Action"] for statement in statements):
            statements.append({"Effect": "Allow", "Action": ["states:SendTaskSuccess"], "Resource": "*"})


def _name_sessions(statements: list[dict[str, Any]]) -> None:
    """To AWS a function's `aws:PrincipalArn` is its role's; the emulator, enforcing policies, gives the ARN of the session."""
    for statement in statements:
        named = statement.get("Condition", {}).pop("StringNotEquals", {})
        if named:
            roles = [one["Fn::Sub"] for one in named["aws:PrincipalArn"]]
            sessions = [one.replace(":iam::", ":sts::").replace(":role/", ":assumed-role/") + "/*" for one in roles]
            statement["Condition"]["StringNotLike"] = {"aws:PrincipalArn": [{"Fn::Sub": one} for one in sessions]}


def _forget_contexts(policies: list[dict[str, Any]]) -> None:
    """AWS asks under which encryption context a key is used; the emulator's conditions do not know it."""
    for policy in policies:
        for statement in policy["PolicyDocument"]["Statement"]:
            if "kms:EncryptionContextKeys" in statement.get("Condition", {}).get("Null", {}):
                del statement["Condition"]


def _wait_fixed_times(substitution: list[Any]) -> None:
    """The emulator ignores TimeoutSecondsPath where a task waits for its token and would wait for a day.

    So it would after an error of the function that was to pass the token on, which it does not notice. After the fixed time
    the machine goes the way of its Catch, as on AWS after an error.
    """
    definition = json.loads(substitution[0])
    for state in definition["States"].values():
        if state.pop("TimeoutSecondsPath", None):
            state["TimeoutSeconds"] = WAIT_SECONDS
    substitution[0] = json.dumps(definition)
