"""Layers and packages as they lie in the cloud: each put there once, and known by its content."""

from typing import Any

from botocore.exceptions import ClientError

from infra.build import packages
from infra.build.packages import Package
from infra.command_line import Say
from infra.deploy.clouds import Cloud
from infra.plan.stages import Stage
from infra.plan.steps import Step
from infra.templates import Code


def codes(cloud: Cloud, stage: Stage, bucket: str, steps: list[Step], say: Say) -> dict[str, Code]:
    """What each step's function will run: its package and layers, published."""
    published = _publish_layers(cloud, stage, bucket, {name for step in steps for name in step.layers}, say)
    found = {}
    for step in steps:
        carried = (*published[""], *(arn for name in step.layers for arn in published[name]))
        key = _upload(cloud, bucket, packages.function(step, stage.target))
        found[step.name] = Code(bucket, key, carried)
    say(f"{len(steps)} function packages are in the bucket")
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
    all_carry = (packages.billfold_layer(stage.target), packages.packages_layer(stage.target, say))
    found = {"": tuple(_publish_layer(cloud, stage, bucket, package, say) for package in all_carry)}
    for name in sorted(extra):
        package = packages.extra_layer(name, stage.target, say)
        found[name] = (_publish_layer(cloud, stage, bucket, package, say),)
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
            CompatibleRuntimes=[stage.target.runtime],
            CompatibleArchitectures=[stage.target.architecture],
        )
        arn = str(answer["LayerVersionArn"])
    say(f"layer {name}: version {arn.rpartition(':')[2]}")
    return arn


def _published(cloud: Cloud, name: str, digest: str) -> str | None:
    """The layer version that has this content already, told by its description."""
    pages = cloud.client("lambda").get_paginator("list_layer_versions").paginate(LayerName=name)
    versions = [one for page in pages for one in page["LayerVersions"] if one.get("Description") == digest]
    return str(versions[0]["LayerVersionArn"]) if versions else None
