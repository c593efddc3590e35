"""Deployment: everything, or the steps that are named, each as a new version under its alias `live`; and the way back.

State machines are deployed with everything, or by name, each by itself: the steps that they call are not touched by it.

Stacks are the only record. A step that is not named keeps the code and layers that its stack already names, so a deployment
of one step changes one function, though layers or other steps changed on disk. `rollback` moves the alias alone.
"""

import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from infra import packages, stacks, templates
from infra.clouds import Cloud
from infra.packages import Package
from infra.stacks import Say
from infra.stages import Stage
from infra.steps import SANDBOX_BANK, Step, by_workflow, machines
from infra.templates import Code, Template
from infra.templates import machines as machine_templates
from infra.templates.words import ALIAS, logical
from infra.templates.workflows import stack_name


class NothingEarlier(Exception):
    """There is no version to go back to."""


@dataclass(frozen=True)
class Live:
    """A function as it answers now: the version behind `live`, and when that version was made (empty: not deployed)."""

    step: Step
    version: str
    changed_at: str


def deploy(cloud: Cloud, stage: Stage, steps: list[Step], named: Iterable[str] = (), say: Say = print) -> None:
    """Deploy the steps that are named, or the whole stage when none is."""
    chosen = [step for step in steps if step.name in set(named)] or steps
    everything = len(chosen) == len(steps)
    if everything:
        _apply(cloud, {f"{stage.prefix}-kept": _local(cloud, templates.kept.template(stage))}, None, say)
    bucket = stacks.outputs(cloud, f"{stage.prefix}-kept")["Artifacts"]

    layers = _publish_layers(cloud, stage, bucket, {name for step in chosen for name in step.layers}, say)
    codes = {} if everything else _deployed(cloud, stage, steps)
    for step in chosen:
        carried = (*layers[""], *(arn for name in step.layers for arn in layers[name]))
        codes[step.name] = Code(bucket, _upload(cloud, bucket, packages.function(step)), carried)
    say(f"{len(chosen)} function packages are in the bucket")

    built = {name: _local(cloud, one) for name, one in templates.build(stage, _with_code(steps, codes), codes).items()}
    workflows = {stack_name(stage, step.workflow) for step in chosen}
    if everything and stage.sandbox:
        _apply(cloud, _only(built, stack_name(stage, SANDBOX_BANK)), bucket, say)
        _apply(cloud, _only(built, f"{stage.prefix}-sandbox-bank"), bucket, say)
        workflows.discard(stack_name(stage, SANDBOX_BANK))
    if everything and not cloud.endpoint:
        _apply(cloud, _only(built, f"{stage.prefix}-alarms"), bucket, say)
    _apply(cloud, _only(built, *workflows), bucket, say)
    for step in chosen:
        _align(cloud, stage, step)
    if everything:
        deploy_machines(cloud, stage, machines(), say)
        _apply(cloud, _only(built, f"{stage.prefix}-gateway"), bucket, say)
        if not cloud.endpoint:
            _apply(cloud, _only(built, f"{stage.prefix}-firewall"), bucket, say)


def deploy_machines(cloud: Cloud, stage: Stage, named: Iterable[str], say: Say = print) -> None:
    """Deploy state machines by name; executions that run go on by the definition they began with."""
    wanted = {
        machine_templates.stack_name(stage, name): _local(
            cloud, machine_templates.template(stage, name, machines()[name])
        )
        for name in named
    }
    _apply(cloud, wanted, None, say)


def rollback(cloud: Cloud, stage: Stage, step: Step) -> tuple[str, str]:
    """Move a step's alias to the version before the live one; answers both versions."""
    client, function = cloud.client("lambda"), step.function(stage.prefix)
    live = client.get_alias(FunctionName=function, Name=ALIAS)["FunctionVersion"]
    earlier = [version for version in _versions(cloud, function) if version < int(live)]
    if not earlier:
        raise NothingEarlier(f"{step.name} has no version before {live}")
    target = str(max(earlier))
    client.update_alias(FunctionName=function, Name=ALIAS, FunctionVersion=target, RoutingConfig={})
    return live, target


def status(cloud: Cloud, stage: Stage, steps: list[Step]) -> list[Live]:
    """Each step's live version."""
    return [_live(cloud, step, step.function(stage.prefix)) for step in steps]


def _live(cloud: Cloud, step: Step, function: str) -> Live:
    client = cloud.client("lambda")
    try:
        version = client.get_alias(FunctionName=function, Name=ALIAS)["FunctionVersion"]
        made = client.get_function_configuration(FunctionName=function, Qualifier=version)["LastModified"]
    except ClientError:
        return Live(step, "", "")
    return Live(step, version, made[:19].replace("T", " "))


def _versions(cloud: Cloud, function: str) -> list[int]:
    pages = cloud.client("lambda").get_paginator("list_versions_by_function").paginate(FunctionName=function)
    found = [one["Version"] for page in pages for one in page["Versions"]]
    return [int(version) for version in found if version.isdigit()]


def _apply(cloud: Cloud, wanted: dict[str, Template], bucket: str | None, say: Say) -> None:
    """Create or update stacks side by side, and wait for all of them."""
    started = time.monotonic()
    changed = {name: stacks.start(cloud, name, template, bucket) for name, template in wanted.items()}
    for name, moving in changed.items():
        if moving:
            stacks.wait(cloud, name)
        resources = len(wanted[name]["Resources"])
        word = f"{resources} resources, {time.monotonic() - started:.1f} s" if moving else "unchanged"
        say(f"stack {name}: {word}")


def _only(built: dict[str, Template], *names: str) -> dict[str, Template]:
    return {name: template for name, template in built.items() if name in names}


def _with_code(steps: list[Step], codes: dict[str, Code]) -> list[Step]:
    return [step for step in steps if step.name in codes]


def _local(cloud: Cloud, template: Template) -> Template:
    from infra.differences import without_what_only_aws_has

    return without_what_only_aws_has(template, cloud.endpoint) if cloud.endpoint else template


def _deployed(cloud: Cloud, stage: Stage, steps: list[Step]) -> dict[str, Code]:
    """The code of every step as its stack names it."""
    found: dict[str, Code] = {}
    for workflow, its_steps in by_workflow(steps).items():
        resources = stacks.template(cloud, stack_name(stage, workflow)).get("Resources", {})
        for step in its_steps:
            if function := resources.get(logical(step.name)):
                said = function["Properties"]
                found[step.name] = Code(said["CodeUri"]["Bucket"], said["CodeUri"]["Key"], tuple(said["Layers"]))
    return found


def _upload(cloud: Cloud, bucket: str, package: Package) -> str:
    """Put a package into the bucket unless it is there; its key."""
    client = cloud.client("s3")
    try:
        client.head_object(Bucket=bucket, Key=package.key)
    except ClientError:
        client.put_object(Bucket=bucket, Key=package.key, Body=package.path.read_bytes())
    return package.key


def _publish_layers(cloud: Cloud, stage: Stage, bucket: str, extra: set[str], say: Say) -> dict[str, tuple[str, ...]]:
    """The ARNs of the two layers that all functions carry, under the empty name, and of each extra one under its own."""
    all_carry = (packages.billfold_layer(), packages.packages_layer(say))
    found = {"": tuple(_publish_layer(cloud, stage, bucket, package, say) for package in all_carry)}
    for name in sorted(extra):
        found[name] = (_publish_layer(cloud, stage, bucket, packages.extra_layer(name, say), say),)
    return found


def _publish_layer(cloud: Cloud, stage: Stage, bucket: str, package: Package, say: Say) -> str:
    """A layer version's ARN; published unless this content is there already."""
    name = f"{stage.prefix}-{package.name}"
    arn = _published(cloud, name, package.digest)
    if arn is None:
        answer: dict[str, Any] = cloud.client("lambda").publish_layer_version(
            LayerName=name,
            Description=package.digest,
            Content={"S3Bucket": bucket, "S3Key": _upload(cloud, bucket, package)},
            CompatibleRuntimes=[packages.RUNTIME],
            CompatibleArchitectures=[packages.ARCHITECTURE],
        )
        arn = str(answer["LayerVersionArn"])
    say(f"layer {name}: version {arn.rpartition(':')[2]}")
    return arn


def _published(cloud: Cloud, name: str, digest: str) -> str | None:
    """The layer version that has this content already, told by its description."""
    pages = cloud.client("lambda").get_paginator("list_layer_versions").paginate(LayerName=name)
    versions = [one for page in pages for one in page["LayerVersions"] if one.get("Description") == digest]
    return str(versions[0]["LayerVersionArn"]) if versions else None


def _align(cloud: Cloud, stage: Stage, step: Step) -> None:
    """After a rollback the alias is elsewhere than its stack believes: what was deployed now is what is live."""
    prefix = logical(step.name) + "Version"
    found = stacks.resources(cloud, stack_name(stage, step.workflow))
    versions = [physical for name, (_, physical) in found.items() if name.startswith(prefix)]
    wanted = versions[-1].rpartition(":")[2]
    client, function = cloud.client("lambda"), step.function(stage.prefix)
    if client.get_alias(FunctionName=function, Name=ALIAS)["FunctionVersion"] != wanted:
        client.update_alias(FunctionName=function, Name=ALIAS, FunctionVersion=wanted, RoutingConfig={})
