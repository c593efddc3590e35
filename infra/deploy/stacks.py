"""CloudFormation stacks: created or updated from a template, waited for, and read back."""

import json
import time
from typing import Any

from botocore.exceptions import ClientError

from infra.deploy.clouds import Cloud
from infra.failures import Failure

# The longest template that a call carries itself; a longer one goes by way of the bucket.
MAX_BODY_BYTES = 51_200
CAPABILITIES = ["CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"]


class DeploymentFailed(Failure):
    """A stack could not become what its template says; the text tells which resources and why."""


# What a first creation leaves that failed: it can only be deleted.
HUSKS = ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "DELETE_FAILED", "REVIEW_IN_PROGRESS")


def start(cloud: Cloud, name: str, template: dict[str, Any], bucket: str | None = None) -> str:
    """Begin to create or update a stack; its id, by which even one that is deleted can be asked about. Empty when it is as
    its template says already.

    What a failed deployment created is removed, also what is retained otherwise: it would be in the way of the next deployment.
    """
    body = json.dumps(template, separators=(",", ":"))
    said: dict[str, Any] = {"StackName": name, "Capabilities": CAPABILITIES, "RetainExceptOnCreate": True}
    if len(body.encode()) > MAX_BODY_BYTES:
        assert bucket, f"{name} is too long to be sent before there is a bucket"
        said["TemplateURL"] = _put_template(cloud, bucket, name, body)
    else:
        said["TemplateBody"] = body
    formation = cloud.client("cloudformation")
    try:
        now = status(cloud, name)
        if now in HUSKS:
            delete(cloud, name)
        if now in ("", *HUSKS):
            return str(formation.create_stack(**said, OnFailure="DELETE")["StackId"])
        return str(formation.update_stack(**said)["StackId"])
    except ClientError as error:
        if "No updates are to be performed" in str(error):
            return ""
        raise DeploymentFailed(f"{name}: {error.response['Error'].get('Message', error)}") from error


def wait(cloud: Cloud, name: str, stack_id: str) -> None:
    """Until the stack is done; DeploymentFailed with the reasons when it had to go back."""
    ended = settled(cloud, stack_id)
    if ended not in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
        raise DeploymentFailed(f"{name} ended as {ended}: {_reasons(cloud, name, stack_id)}")


def settled(cloud: Cloud, name: str) -> str:
    """The status of a stack once nothing is under way in it."""
    while (now := status(cloud, name)).endswith("_IN_PROGRESS"):
        time.sleep(0.1 if cloud.endpoint else 5)
    return now


def delete(cloud: Cloud, name: str) -> None:
    """Delete a stack and wait until it is gone; what it retains stays."""
    stack_id = str(describe(cloud, name)["StackId"])
    cloud.client("cloudformation").delete_stack(StackName=name)
    if (ended := settled(cloud, stack_id)) not in ("", "DELETE_COMPLETE"):
        raise DeploymentFailed(f"{name} ended as {ended}: {_reasons(cloud, name, stack_id)}")


def status(cloud: Cloud, name: str) -> str:
    """A stack's status; empty when there is none."""
    try:
        found = str(describe(cloud, name)["StackStatus"])
    except ClientError as error:
        if "does not exist" in str(error):
            return ""
        raise
    # A name is free again once its stack is deleted; by its id it can still be asked about.
    return "" if found == "DELETE_COMPLETE" and not name.startswith("arn:") else found


def names(cloud: Cloud, prefix: str) -> list[str]:
    """The stacks whose names begin so."""
    pages = cloud.client("cloudformation").get_paginator("describe_stacks").paginate()
    return sorted(one["StackName"] for page in pages for one in page["Stacks"] if one["StackName"].startswith(prefix))


def describe(cloud: Cloud, name: str) -> dict[str, Any]:
    """A stack as CloudFormation describes it; ClientError when there is none."""
    return dict(cloud.client("cloudformation").describe_stacks(StackName=name)["Stacks"][0])


def outputs(cloud: Cloud, name: str) -> dict[str, str]:
    """A stack's outputs."""
    return {one["OutputKey"]: one["OutputValue"] for one in describe(cloud, name).get("Outputs", [])}


def template(cloud: Cloud, name: str) -> dict[str, Any]:
    """The template that a stack was made from; empty when there is no such stack."""
    if not status(cloud, name):
        return {}
    body = cloud.client("cloudformation").get_template(StackName=name, TemplateStage="Original")["TemplateBody"]
    return dict(json.loads(body)) if isinstance(body, str) else dict(body)


def resources(cloud: Cloud, name: str) -> dict[str, tuple[str, str]]:
    """A stack's resources: logical id to type and physical id."""
    found: dict[str, tuple[str, str]] = {}
    pages = cloud.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=name)
    for page in pages:
        for one in page["StackResourceSummaries"]:
            found[one["LogicalResourceId"]] = (one["ResourceType"], one.get("PhysicalResourceId", ""))
    return found


def _put_template(cloud: Cloud, bucket: str, name: str, body: str) -> str:
    key = f"templates/{name}.json"
    cloud.client("s3").put_object(Bucket=bucket, Key=key, Body=body.encode())
    if cloud.endpoint:
        return f"{cloud.endpoint}/{bucket}/{key}"
    return f"https://{bucket}.s3.{cloud.region}.amazonaws.com/{key}"


def _reasons(cloud: Cloud, name: str, stack_id: str) -> str:
    """Why the last deployment of a stack failed: the events of the deployment, the newest first, back to its beginning."""
    lines: list[str] = []
    pages = cloud.client("cloudformation").get_paginator("describe_stack_events").paginate(StackName=stack_id)
    for event in (one for page in pages for one in page["StackEvents"]):
        if event["LogicalResourceId"] == name:
            if event["ResourceStatus"] in ("CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS"):
                break
        elif event["ResourceStatus"].endswith("_FAILED"):
            lines.append(f"{event['LogicalResourceId']}: {event.get('ResourceStatusReason', '')}")
    # The cause comes first; what was given up because of it says so.
    lines = [line for line in reversed(lines) if "cancelled" not in line.lower()] or lines
    return "; ".join(dict.fromkeys(lines)) or f"no reason is given; its events are those of {stack_id}"
