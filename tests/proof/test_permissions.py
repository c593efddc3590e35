"""A step's `May` line is what its role is made of (XX-06): it names exactly what the step does, over all its scenarios."""

from collections import defaultdict

import boto3
import pytest
from botocore.config import Config

from infra.plan import steps, tables
from tests.proof import recordings, scenarios
from tests.proof.wire import BANK, Call, Wire, permissions

Used = dict[str, set[tuple[str, str]]]
# It verifies what a bank has signed, and never calls one.
NEVER_ASKING = {"receive_callback"}


@pytest.fixture(scope="module")
def used(harness) -> Used:
    """What each step asked AWS for, in first deliveries and in repeats."""
    found: Used = defaultdict(set)
    for scenario in scenarios.ALL:
        recording = recordings.record(harness, scenario)
        for call in (*recording.calls, *recording.signed):
            found[scenario.step] |= permissions(call)
    return found


def allowed(step: steps.Step) -> set[tuple[str, str]]:
    """A step's `May` line in the same words."""
    said = {("queue", name) for name in step.may.queues} | {("kms", action) for action in step.may.kms}
    said |= {("postpone", name) for name in step.may.postpones}
    said |= {(f"bucket {name}", action) for name, actions in step.may.buckets.items() for action in actions}
    said |= {(f"machine {name}", action) for name, actions in step.may.machines.items() for action in actions}
    return said | {
        (table, f"{action}:{index}" if index else action)
        for (table, index), actions in step.may.actions.items()
        for action in actions
    }


@pytest.mark.parametrize("step", steps.known(), ids=lambda step: step.name)
def test_a_step_may_do_exactly_what_it_does(used: Used, step: steps.Step):
    """Nothing is missing from its role, and nothing is in it that no scenario needs."""
    assert used[step.name] == allowed(step)


def test_every_step_that_may_call_banks_does_so_in_a_scenario(harness):
    """XX-06: `bank` in a header is no more than what is needed."""
    asking = {
        scenario.step
        for scenario in scenarios.ALL
        if any(call.service == BANK for call in recordings.record(harness, scenario).calls)
    }
    assert asking == {step.name for step in steps.known() if step.may.bank} - NEVER_ASKING


@pytest.mark.parametrize(
    ("call", "leaves"),
    [
        (Call("kms", "GenerateMac", {"KeyId": "k"}), {("kms", "GenerateMac")}),
        (Call("kms", "ReEncrypt", {"CiphertextBlob": b""}), {("kms", "ReEncryptFrom"), ("kms", "ReEncryptTo")}),
        (
            Call("s3", "DeleteObject", {"Bucket": "billfold-photos-1-eu", "Key": "k"}),
            {("bucket photos", "DeleteObject")},
        ),
        (
            Call("s3", "GetObject", {"Bucket": "billfold-photos-1-eu", "Key": "k"}),
            {("bucket photos", "GetObject"), ("bucket photos", "ListBucket")},
        ),
        (
            Call(
                "stepfunctions",
                "StartExecution",
                {"stateMachineArn": "arn:x:billfold-bank-authentication", "name": "n"},
            ),
            {("machine bank_authentication", "StartExecution")},
        ),
        (
            Call("stepfunctions", "SendTaskSuccess", {"taskToken": "t", "output": "{}"}),
            {("machine bank_authentication", "SendTaskSuccess")},
        ),
    ],
    ids=lambda value: value.action if isinstance(value, Call) else "",
)
def test_a_call_needs_the_leaves_that_iam_knows(call: Call, leaves: set[tuple[str, str]]):
    """Where IAM's word is another than the action's, the header says IAM's, because the role is made from it."""
    assert permissions(call) == leaves


@pytest.mark.parametrize("style", ["path", "virtual"])
def test_an_address_signed_for_somebody_else_needs_the_signers_leave(style: str):
    """Nothing goes over the wire when an upload's address is signed, but AWS asks for the role's leave when it is used."""
    client = boto3.client("s3", config=Config(s3={"addressing_style": style}))
    where = {"Bucket": "billfold-photos-123456789012-eu-west-1", "Key": "photo"}
    with Wire() as wire:
        assert "photos" in client.generate_presigned_post(**where)["url"]
        assert "photos" in client.generate_presigned_url("get_object", where)
    assert wire.calls == []
    leaves = [permissions(call) for call in wire.signed]
    assert leaves == [
        {("bucket photos", "PutObject")},
        {("bucket photos", "GetObject"), ("bucket photos", "ListBucket")},
    ]


def test_no_step_ever_scans(used: Used):
    """Any access is by key or index: a Scan would grow with the table."""
    named = {table.name for table in tables.TABLES}
    actions = {action.partition(":")[0] for pairs in used.values() for table, action in pairs if table in named}
    assert actions <= {
        "BatchGetItem",
        "BatchWriteItem",
        "ConditionCheckItem",
        "DeleteItem",
        "PutItem",
        "Query",
        "UpdateItem",
    }
