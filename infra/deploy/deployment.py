"""Deployment: everything, or the steps that are named, each as a new version under its alias `live`.

State machines are deployed with everything, or by name, each by itself: the steps that they call are not touched by it.

Stacks are the record of what is deployed. A step that is not named keeps all that its stack says of it, so a deployment of one
step changes one function, though layers, settings or other steps changed on disk. `infra/deploy/versions.py` has the way back.
"""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from infra import templates
from infra.build import packages
from infra.command_line import Say
from infra.deploy import layers, stacks, versions
from infra.deploy.clouds import Cloud
from infra.deploy.stacks import DeploymentFailed
from infra.plan.stages import Stage
from infra.plan.state_machines import machines
from infra.plan.steps import SANDBOX_BANK, Step, by_workflow
from infra.templates import Code, Template, buckets, kept
from infra.templates import machines as machine_templates
from infra.templates.words import logical
from infra.templates.workflows import of_step, stack_name

Packager = Callable[[Cloud, Stage, str, list[Step], Say], dict[str, Code]]


@dataclass(frozen=True)
class Deployed:
    """What a deployment did to a step: the version that was live (empty: none), and the one that is."""

    step: Step
    before: str
    after: str


def deploy(
    cloud: Cloud,
    stage: Stage,
    steps: list[Step],
    named: Iterable[str] = (),
    say: Say = print,
    package: Packager = layers.codes,
) -> list[Deployed]:
    """Deploy the steps that are named, or the whole stage when none is. `package` puts what functions run into the bucket."""
    packages.check_buildable(stage.target)
    chosen = [step for step in steps if step.name in set(named)]
    if chosen:
        bucket = artifacts(cloud, stage)
        withdrawn = versions.held(cloud, bucket, chosen)
        before = {step.name: versions.live(cloud, stage, step) for step in chosen}
        _deploy_named(cloud, stage, chosen, bucket, say, package)
        for step in chosen:
            if step.name in withdrawn:
                versions.align(cloud, stage, step)
    else:
        _apply(cloud, {f"{stage.prefix}-artifacts": _local(cloud, buckets.artifacts(stage))}, None, say)
        bucket = artifacts(cloud, stage)
        withdrawn = versions.held(cloud, bucket, steps)
        for name, version in withdrawn.items():
            say(f"{name} stays as it is: version {version} was rolled back; `deploy {name}` deploys it")
        chosen = [step for step in steps if step.name not in withdrawn]
        before = {step.name: versions.live(cloud, stage, step) for step in chosen}
        _deploy_all(cloud, stage, steps, withdrawn, bucket, say, package)
    return [Deployed(step, before[step.name], versions.record(cloud, stage, bucket, step)) for step in chosen]


def deploy_machines(cloud: Cloud, stage: Stage, named: Iterable[str], say: Say = print) -> None:
    """Deploy state machines by name; executions that run go on by the definition they began with."""
    wanted = {
        machine_templates.stack_name(stage, name): _local(
            cloud, machine_templates.template(stage, name, machines()[name])
        )
        for name in named
    }
    _apply(cloud, wanted, None, say)


def artifacts(cloud: Cloud, stage: Stage) -> str:
    """The bucket of packages."""
    try:
        return stacks.outputs(cloud, f"{stage.prefix}-artifacts")["Artifacts"]
    except ClientError:
        raise DeploymentFailed(f"nothing is deployed to stage {stage.name} yet: deploy everything") from None


def addresses(cloud: Cloud, stage: Stage) -> dict[str, str]:
    """Where a stage answers and where its people sign in."""
    kept_there = stacks.outputs(cloud, f"{stage.prefix}-kept")
    return {
        "address": stacks.outputs(cloud, f"{stage.prefix}-gateway")["Address"],
        "users": f"pool {kept_there['UserPool']}, client {kept_there['UserPoolClient']}",
        "staff": f"pool {kept_there['StaffPool']}, client {kept_there['StaffPoolClient']}",
    }


def _deploy_named(cloud: Cloud, stage: Stage, chosen: list[Step], bucket: str, say: Say, package: Packager) -> None:
    codes = package(cloud, stage, bucket, chosen, say)
    wanted: dict[str, Template] = {}
    for workflow, its_steps in by_workflow(chosen).items():
        stack = stack_name(stage, workflow)
        said = stacks.template(cloud, stack)
        for step in its_steps:
            if logical(step.name) not in said.get("Resources", {}):
                raise DeploymentFailed(f"{step.name} is new in {stack}: deploy everything, its log group and route too")
            said["Resources"] |= _local(cloud, {"Resources": of_step(stage, step, codes[step.name])})["Resources"]
        wanted[stack] = said
    _apply(cloud, wanted, bucket, say)


def _deploy_all(
    cloud: Cloud,
    stage: Stage,
    steps: list[Step],
    withdrawn: Iterable[str],
    bucket: str,
    say: Say,
    package: Packager,
) -> None:
    lasting = f"{stage.prefix}-kept"
    _deploy_kept(cloud, lasting, _local(cloud, kept.template(stage, steps)), bucket, say)
    codes = package(cloud, stage, bucket, steps, say)
    built = {name: _local(cloud, one) for name, one in templates.build(stage, steps, codes).items()}
    _keep_deployed(cloud, built, withdrawn)
    first = [stack_name(stage, SANDBOX_BANK), f"{stage.prefix}-sandbox-bank"]
    for name in (*first, *[f"{stage.prefix}-alarms"] * (not cloud.endpoint)):
        _apply(cloud, _only(built, name), bucket, say)
    _release(cloud, stage, built, bucket, say)
    workflows = {stack_name(stage, step.workflow) for step in steps} - set(first)
    _apply(cloud, _only(built, *workflows), bucket, say)
    deploy_machines(cloud, stage, machines(), say)
    for name in (f"{stage.prefix}-gateway", *[f"{stage.prefix}-firewall"] * (not cloud.endpoint)):
        _apply(cloud, _only(built, name), bucket, say)
    for name in _of_steps_and_machines(cloud, stage):
        if name not in built:
            stacks.delete(cloud, name)
            say(f"stack {name}: deleted, nothing is in it any more")
    # Nobody imports any more what went with the old steps.
    _apply(cloud, _only(built, lasting), bucket, say)


def _deploy_kept(cloud: Cloud, name: str, wanted: Template, bucket: str, say: Say) -> None:
    """Create or update `kept` so far as nothing that is deployed loses what it imports; what goes, goes at the end."""
    before = stacks.template(cloud, name)
    if not before:
        _apply(cloud, {name: kept.unprotected(wanted)}, bucket, say)
        before = wanted
    _check_indexes(before, wanted)
    both = {part: before[part] | wanted[part] for part in ("Resources", "Outputs")}
    _apply(cloud, {name: wanted | both}, bucket, say)


def _check_indexes(before: Template, wanted: Template) -> None:
    """DynamoDB makes or drops one index of a table at a time; CloudFormation would fail midway."""
    for name, resource in wanted["Resources"].items():
        if resource["Type"] == "AWS::DynamoDB::Table" and name in before["Resources"]:
            changed = _indexes(resource) ^ _indexes(before["Resources"][name])
            if len(changed) > 1:
                raise DeploymentFailed(
                    f"{name} would change {len(changed)} indexes ({', '.join(sorted(changed))}), and DynamoDB does "
                    "one an update: deploy them one after another"
                )


def _indexes(table: dict[str, Any]) -> set[str]:
    return {one["IndexName"] for one in table["Properties"].get("GlobalSecondaryIndexes", [])}


def _keep_deployed(cloud: Cloud, built: dict[str, Template], withdrawn: Iterable[str]) -> None:
    """Put back into the templates what the stacks say of the steps that are held."""
    for name in withdrawn:
        parts = (logical(name), logical(name, "role"))
        for stack in [stack for stack, one in built.items() if parts[0] in one["Resources"]]:
            said = stacks.template(cloud, stack)["Resources"]
            built[stack]["Resources"] |= {part: said[part] for part in parts}


def _release(cloud: Cloud, stage: Stage, built: dict[str, Template], bucket: str, say: Say) -> None:
    """Take the steps that changed their folder out of the stack of the old one: a function's name is free only then."""
    homes = {name: stack for stack, one in built.items() for name in _functions(one)}
    for stack in _of_steps_and_machines(cloud, stage):
        said = stacks.template(cloud, stack)
        moved = {name for name in _functions(said) if homes.get(name, stack) != stack}
        if not moved:
            continue
        gone = moved | {f"{name}Role" for name in moved}
        said["Resources"] = {name: one for name, one in said["Resources"].items() if name not in gone}
        if _functions(said):
            _apply(cloud, {stack: said}, bucket, say)
        else:
            stacks.delete(cloud, stack)
        say(f"{', '.join(sorted(moved))}: out of {stack}")


def _functions(template: Template) -> set[str]:
    return {name for name, one in template["Resources"].items() if one["Type"] == "AWS::Serverless::Function"}


def _of_steps_and_machines(cloud: Cloud, stage: Stage) -> list[str]:
    return [name for kind in ("steps", "machine") for name in stacks.names(cloud, f"{stage.prefix}-{kind}-")]


def _apply(cloud: Cloud, wanted: dict[str, Template], bucket: str | None, say: Say) -> None:
    """Create or update stacks side by side, and wait for all of them."""
    started = time.monotonic()
    changed = {name: stacks.start(cloud, name, template, bucket) for name, template in wanted.items()}
    for name, stack_id in changed.items():
        if stack_id:
            stacks.wait(cloud, name, stack_id)
        resources = len(wanted[name]["Resources"])
        word = f"{resources} resources, {time.monotonic() - started:.1f} s" if stack_id else "unchanged"
        say(f"stack {name}: {word}")


def _only(built: dict[str, Template], *names: str) -> dict[str, Template]:
    return {name: template for name, template in built.items() if name in names}


def _local(cloud: Cloud, template: Template) -> Template:
    from infra.deploy.differences import without_what_only_aws_has

    return without_what_only_aws_has(template, cloud.endpoint) if cloud.endpoint else template
