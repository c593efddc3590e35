"""Which version of each function is live, which were before it, and the way back.

    live/<step>.json in the bucket `artifacts`    {"live": [2, 4], "withdrawn": 6}

The list holds the versions that were live, in their order: one whose shift an alarm stopped never was, and one that was rolled
back is taken out of it. A step with a version `withdrawn` is held: deploying everything leaves it as it is, until it is named.
"""

import json
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace

from botocore.exceptions import ClientError

from infra.deploy import stacks
from infra.deploy.clouds import Cloud
from infra.failures import Failure
from infra.plan.stages import Stage
from infra.plan.steps import Step
from infra.templates.words import ALIAS, logical
from infra.templates.workflows import stack_name

SHIFTING = ["Created", "Queued", "InProgress", "Baking", "Ready"]


class NothingEarlier(Failure):
    """There is no version to go back to."""


@dataclass(frozen=True)
class Live:
    """A function as it answers now: the version behind `live`, and when that version was made (empty: not deployed)."""

    step: Step
    version: str
    changed_at: str


@dataclass(frozen=True)
class History:
    """The versions that were live, the oldest first, and the one that was rolled back, if that is the last that happened."""

    live: tuple[int, ...] = ()
    withdrawn: int | None = None


def status(cloud: Cloud, stage: Stage, steps: list[Step]) -> list[Live]:
    """Each step's live version."""
    found = []
    for step in steps:
        version, function = live(cloud, stage, step), step.function(stage.prefix)
        made = ""
        if version:
            told = cloud.client("lambda").get_function_configuration(FunctionName=function, Qualifier=version)
            made = told["LastModified"][:19].replace("T", " ")
        found.append(Live(step, version, made))
    return found


def live(cloud: Cloud, stage: Stage, step: Step) -> str:
    """The version behind a step's alias; empty when the step is not deployed."""
    try:
        found = cloud.client("lambda").get_alias(FunctionName=step.function(stage.prefix), Name=ALIAS)
    except ClientError as error:
        if error.response["Error"]["Code"] == "ResourceNotFoundException":
            return ""
        raise
    return str(found["FunctionVersion"])


def held(cloud: Cloud, bucket: str, steps: Iterable[Step]) -> dict[str, int]:
    """The steps that were rolled back and not deployed by name since, and the version that each was taken back from."""
    pages = cloud.client("s3").get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix="live/")
    kept = {one["Key"] for page in pages for one in page.get("Contents", [])}
    found = {step.name: history(cloud, bucket, step).withdrawn for step in steps if _key(step) in kept}
    return {name: version for name, version in found.items() if version is not None}


def record(cloud: Cloud, stage: Stage, bucket: str, step: Step) -> str:
    """Write down what a deployment has made live; the version."""
    version, before = live(cloud, stage, step), history(cloud, bucket, step)
    if before.live[-1:] != (int(version),) or before.withdrawn:
        _write(cloud, bucket, step, History((*(one for one in before.live if one != int(version)), int(version))))
    return version


def align(cloud: Cloud, stage: Stage, step: Step) -> None:
    """Make live what the step's stack believes to be: after a rollback the alias is elsewhere."""
    found = stacks.resources(cloud, stack_name(stage, step.workflow))
    prefix = logical(step.name) + "Version"
    (version,) = [physical.rpartition(":")[2] for name, (_, physical) in found.items() if name.startswith(prefix)]
    if live(cloud, stage, step) != version:
        _point(cloud, stage, step, version)


def rollback(cloud: Cloud, stage: Stage, bucket: str, step: Step) -> tuple[str, str]:
    """Make the version live that was before, or stop the shift to a new one that is under way; what was, and what is live."""
    if stopped := _stop_shift(cloud, stage, step):
        return stopped, live(cloud, stage, step)
    now, before = live(cloud, stage, step), history(cloud, bucket, step)
    earlier = before.live[: before.live.index(int(now))] if now and int(now) in before.live else before.live
    if not earlier:
        raise NothingEarlier(f"no version of {step.name} was live before {now or 'its first deployment'}")
    _point(cloud, stage, step, str(earlier[-1]))
    _write(cloud, bucket, step, History(earlier, withdrawn=int(now)))
    return now, str(earlier[-1])


def history(cloud: Cloud, bucket: str, step: Step) -> History:
    """What is written down of a step."""
    client = cloud.client("s3")
    try:
        said = json.loads(client.get_object(Bucket=bucket, Key=_key(step))["Body"].read())
    except client.exceptions.NoSuchKey:
        return History()
    return replace(History(**said), live=tuple(said["live"]))


def _write(cloud: Cloud, bucket: str, step: Step, after: History) -> None:
    cloud.client("s3").put_object(Bucket=bucket, Key=_key(step), Body=json.dumps(vars(after)).encode())


def _key(step: Step) -> str:
    return f"live/{step.name}.json"


def _point(cloud: Cloud, stage: Stage, step: Step, version: str) -> None:
    function = step.function(stage.prefix)
    no_other = {"AdditionalVersionWeights": dict[str, float]()}
    cloud.client("lambda").update_alias(
        FunctionName=function, Name=ALIAS, FunctionVersion=version, RoutingConfig=no_other
    )


def _stop_shift(cloud: Cloud, stage: Stage, step: Step) -> str:
    """Stop a gradual deployment of a step that is under way, and wait until its stack is back as it was; what it shifted to.

    Its stack waits for the shift: moving the alias by hand would only be undone by it.
    """
    stack = stack_name(stage, step.workflow)
    found = stacks.resources(cloud, stack)
    group = found.get(f"{logical(step.name)}DeploymentGroup")
    if group is None:
        return ""
    (application,) = [name for kind, name in found.values() if kind == "AWS::CodeDeploy::Application"]
    shifts = cloud.client("codedeploy")
    where = {"applicationName": application, "deploymentGroupName": group[1]}
    running = shifts.list_deployments(**where, includeOnlyStatuses=SHIFTING)["deployments"]
    if not running:
        return ""
    aliased = cloud.client("lambda").get_alias(FunctionName=step.function(stage.prefix), Name=ALIAS)
    for one in running:
        shifts.stop_deployment(deploymentId=one, autoRollbackEnabled=True)
    while any(shifts.get_deployment(deploymentId=one)["deploymentInfo"]["status"] in SHIFTING for one in running):
        time.sleep(1)
    stacks.settled(cloud, stack)
    return next(iter(aliased.get("RoutingConfig", {}).get("AdditionalVersionWeights", {})), "a new version")
