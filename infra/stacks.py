"""CloudFormation stacks: created or updated from a template, waited for, and read back."""

import json
import time
from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from infra.clouds import Cloud

# The longest template that a call carries itself; a longer one goes by way of the bucket.
MAX_BODY_BYTES = 51_200
CAPABILITIES = ["CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"]
Say = Callable[[str], None]


class DeploymentFailed(Exception):
    """A stack could not become what its template says; the text tells which resources and why."""


def start(cloud: Cloud, name: str, template: dict[str, Any], bucket: str | None = None) -> bool:
    """Begin to create or update a stack; False when it is as its template says already."""
    body = json.dumps(template, separators=(",", ":"))
    said: dict[str, Any] = {"StackName": name, "Capabilities": CAPABILITIES}
    if len(body.encode()) > MAX_BODY_BYTES:
        assert bucket, f"{name} is too long to be sent before there is a bucket"
        said["TemplateURL"] = _put_template(cloud, bucket, name, body)
    else:
        said["TemplateBody"] = body
    formation = cloud.client("cloudformation")
    try:
        if _exists(cloud, name):
            formation.update_stack(**said)
        else:
            formation.create_stack(**said, OnFailure="DELETE")
    except ClientError as error:
        if "No updates are to be performed" in str(error):
            return False
        raise DeploymentFailed(f"{name}: {error.response['Error'].get('Message', error)}") from error
    return True


def wait(cloud: Cloud, name: str) -> None:
    """Until the stack is done; DeploymentFailed with the reasons when it had to go back."""
    pause = 0.1 if cloud.endpoint else 5
    while True:
        try:
            status = describe(cloud, name)["StackStatus"]
        except ClientError:
            status = "DELETE_COMPLETE"
        if not status.endswith("_IN_PROGRESS"):
            break
        time.sleep(pause)
    if status not in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
        raise DeploymentFailed(f"{name} ended as {status}: {_reasons(cloud, name)}")


def describe(cloud: Cloud, name: str) -> dict[str, Any]:
    """A stack as CloudFormation describes it; ClientError when there is none."""
    return dict(cloud.client("cloudformation").describe_stacks(StackName=name)["Stacks"][0])


def outputs(cloud: Cloud, name: str) -> dict[str, str]:
    """A stack's outputs."""
    return {one["OutputKey"]: one["OutputValue"] for one in describe(cloud, name).get("Outputs", [])}


def template(cloud: Cloud, name: str) -> dict[str, Any]:
    """The template that a stack was made from; empty when there is no such stack."""
    try:
        body = cloud.client("cloudformation").get_template(StackName=name, TemplateStage="Original")["TemplateBody"]
    except ClientError:
        return {}
    return dict(json.loads(body)) if isinstance(body, str) else dict(body)


def resources(cloud: Cloud, name: str) -> dict[str, tuple[str, str]]:
    """A stack's resources: logical id to type and physical id."""
    found: dict[str, tuple[str, str]] = {}
    pages = cloud.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=name)
    for page in pages:
        for one in page["StackResourceSummaries"]:
            found[one["LogicalResourceId"]] = (one["ResourceType"], one.get("PhysicalResourceId", ""))
    return found


def _exists(cloud: Cloud, name: str) -> bool:
    try:
        status = describe(cloud, name)["StackStatus"]
    except ClientError:
        return False
    if status in ("ROLLBACK_COMPLETE", "REVIEW_IN_PROGRESS"):
        # A first creation that failed leaves a husk that can only be deleted.
        cloud.client("cloudformation").delete_stack(StackName=name)
        cloud.client("cloudformation").get_waiter("stack_delete_complete").wait(StackName=name)
        return False
    return bool(status != "DELETE_COMPLETE")


def _put_template(cloud: Cloud, bucket: str, name: str, body: str) -> str:
    key = f"templates/{name}.json"
    cloud.client("s3").put_object(Bucket=bucket, Key=key, Body=body.encode())
    if cloud.endpoint:
        return f"{cloud.endpoint}/{bucket}/{key}"
    return f"https://{bucket}.s3.{cloud.region}.amazonaws.com/{key}"


def _reasons(cloud: Cloud, name: str) -> str:
    try:
        events = cloud.client("cloudformation").describe_stack_events(StackName=name)["StackEvents"]
    except ClientError:
        return "it is gone; look at its events in the account"
    failed = [one for one in events if one["ResourceStatus"].endswith("_FAILED")]
    lines = [f"{one['LogicalResourceId']}: {one.get('ResourceStatusReason', '')}" for one in failed]
    return "; ".join(dict.fromkeys(lines)) or "no reason is given"
