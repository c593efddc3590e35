"""As much of AWS as a deployment talks to, with the behaviour that its documents tell and that hurts: names that are taken,
what a failed creation leaves behind, exports in use, versions that Lambda does not publish, shifts that are under way.

    aws = FakeAws()
    deployment.deploy(aws.cloud, stage, steps, package=sample)
"""

import io
import json
import re
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from infra.deploy.clouds import Cloud

ACCOUNT, REGION = "123456789012", "eu-west-1"
MAX_BODY_BYTES = 51_200
# The property that is a resource's name, which no two may have.
NAMES = {
    "AWS::DynamoDB::Table": "TableName",
    "AWS::SQS::Queue": "QueueName",
    "AWS::Logs::LogGroup": "LogGroupName",
    "AWS::IAM::Role": "RoleName",
    "AWS::S3::Bucket": "BucketName",
    "AWS::Serverless::Function": "FunctionName",
}
# What is the same in two versions when Lambda publishes none.
NOT_VERSIONED = {"Tags", "ReservedConcurrentExecutions", "AutoPublishCodeSha256", "Events", "DeploymentPreference"}


def refused(code: str, text: str = "") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": text or code}}, "Any")


class Client:
    """A client whose pages are whole."""

    def get_paginator(self, action: str) -> Any:
        client = self

        class Paginator:
            def paginate(self, **said: Any) -> list[Any]:
                return [getattr(client, action)(**said)]

        return Paginator()


@dataclass
class Stack:
    name: str
    stack_id: str
    template: dict[str, Any] = field(default_factory=dict)
    status: str = "CREATE_COMPLETE"
    events: list[dict[str, str]] = field(default_factory=list)

    def note(self, resource: str, status: str, reason: str = "") -> None:
        told = {"LogicalResourceId": resource, "ResourceStatus": status, "ResourceStatusReason": reason}
        self.events.insert(0, told)

    def exports(self) -> set[str]:
        return {one["Export"]["Name"] for one in self.template.get("Outputs", {}).values() if "Export" in one}

    def imports(self) -> set[str]:
        return set(re.findall(r'"Fn::ImportValue": "([^"]+)"', json.dumps(self.template)))

    def names(self) -> dict[str, str]:
        """Each logical id's physical name."""
        return {logical: name for logical, one in self.template["Resources"].items() if (name := name_of(one))}


def name_of(resource: dict[str, Any]) -> str:
    said = resource.get("Properties", {}).get(NAMES.get(resource["Type"], ""), "")
    return f"{resource['Type']} {json.dumps(said)}" if said else ""


class Formation(Client):
    """CloudFormation. `breaking`: logical ids that cannot be made, and why."""

    def __init__(self, aws: "FakeAws") -> None:
        self.aws = aws
        self.stacks: list[Stack] = []
        self.taken: set[str] = set()
        self.breaking: dict[str, str] = {}
        self.calls: list[tuple[str, str]] = []

    def create_stack(self, **said: Any) -> dict[str, str]:
        return self._run("create", said)

    def update_stack(self, **said: Any) -> dict[str, str]:
        return self._run("update", said)

    def _run(self, kind: str, said: dict[str, Any]) -> dict[str, str]:
        name, template = said["StackName"], self._template(said)
        stack = self._find(name)
        if kind == "create":
            if stack:
                raise refused("AlreadyExistsException", f"Stack [{name}] already exists")
            stack = Stack(name, f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/{name}/{len(self.stacks)}")
            self.stacks.append(stack)
        assert stack
        if stack.template == template:
            raise refused("ValidationError", "No updates are to be performed.")
        self.calls.append((kind, name))
        stack.note(name, f"{kind.upper()}_IN_PROGRESS")
        before = stack.template
        made, fault = self._make(stack, template)
        if not fault and (lost := self._in_use(stack, template)):
            fault = ("Outputs", f"Export {lost} cannot be deleted as it is in use")
        if fault:
            stack.note(fault[0], f"{kind.upper()}_FAILED", fault[1])
            stack.note("SomethingElse", f"{kind.upper()}_FAILED", "Resource creation cancelled")
            self._go_back(kind, stack, template, made, said.get("RetainExceptOnCreate", False))
            return {"StackId": stack.stack_id}
        old = {name_of(one) for one in before.get("Resources", {}).values() if "DeletionPolicy" not in one}
        stack.template = template
        self.taken -= old - set(stack.names().values())
        stack.status = f"{kind.upper()}_COMPLETE"
        stack.note(name, stack.status)
        return {"StackId": stack.stack_id}

    def _template(self, said: dict[str, Any]) -> dict[str, Any]:
        if "TemplateURL" in said:
            bucket, key = re.fullmatch(r"https://(.+?)\.s3\.[\w-]+\.amazonaws\.com/(.+)", said["TemplateURL"]).groups()  # type: ignore[union-attr]
            assert bucket == self.aws.bucket
            return dict(json.loads(self.aws.s3.objects[key]))
        assert len(said["TemplateBody"].encode()) <= MAX_BODY_BYTES, "a template body is at most 51,200 bytes"
        return dict(json.loads(said["TemplateBody"]))

    def _make(self, stack: Stack, template: dict[str, Any]) -> tuple[dict[str, str], tuple[str, str] | None]:
        """What was made until something failed, and what failed."""
        made: dict[str, str] = {}
        had = stack.names() if stack.template else {}
        for logical, resource in template["Resources"].items():
            if logical in self.breaking:
                return made, (logical, self.breaking[logical])
            name = name_of(resource)
            if name and had.get(logical) != name:
                if name in self.taken:
                    return made, (logical, f"{name} already exists")
                self.taken.add(name)
                made[logical] = name
            if resource["Type"] == "AWS::Serverless::Function" and (why := self.aws.functions.publish(resource)):
                return made, (logical, why)
        return made, None

    def _go_back(
        self, kind: str, stack: Stack, template: dict[str, Any], made: dict[str, str], except_on_create: bool
    ) -> None:
        stuck = ""
        for logical, name in made.items():
            resource = template["Resources"][logical]
            if resource["Properties"].get("DeletionProtectionEnabled"):
                stuck = logical
            elif except_on_create or "DeletionPolicy" not in resource:
                self.taken.discard(name)
        if kind == "update":
            stack.status = "UPDATE_ROLLBACK_COMPLETE"
        elif stuck:
            stack.status = "DELETE_FAILED"
            stack.template = {"Resources": {}}
            stack.note(stuck, "DELETE_FAILED", "deletion protection is enabled")
        else:
            stack.status = "DELETE_COMPLETE"

    def _in_use(self, stack: Stack, template: dict[str, Any]) -> str:
        lost = stack.exports() - Stack("", "", template).exports()
        used = {name for one in self.live() for name in one.imports()}
        return ", ".join(sorted(lost & used))

    def live(self) -> list[Stack]:
        return [one for one in self.stacks if one.status != "DELETE_COMPLETE"]

    def _find(self, name: str) -> Stack | None:
        known = self.stacks if name.startswith("arn:") else self.live()
        return next((one for one in known if name in (one.name, one.stack_id)), None)

    def delete_stack(self, StackName: str) -> None:  # noqa: N803
        stack = self._find(StackName)
        assert stack
        self.calls.append(("delete", stack.name))
        for resource in stack.template["Resources"].values():
            if "DeletionPolicy" not in resource:
                self.taken.discard(name_of(resource))
        stack.status = "DELETE_COMPLETE"

    def describe_stacks(self, StackName: str = "") -> dict[str, Any]:  # noqa: N803
        found = [self._find(StackName)] if StackName else self.live()
        if found == [None]:
            raise refused("ValidationError", f"Stack with id {StackName} does not exist")
        return {"Stacks": [self._described(one) for one in found if one]}

    def _described(self, stack: Stack) -> dict[str, Any]:
        outputs = stack.template.get("Outputs", {})
        values = [{"OutputKey": key, "OutputValue": self.aws.value(one["Value"])} for key, one in outputs.items()]
        return {
            "StackName": stack.name,
            "StackId": stack.stack_id,
            "StackStatus": stack.status,
            "Outputs": values,
        }

    def describe_stack_events(self, StackName: str) -> dict[str, Any]:  # noqa: N803
        stack = self._find(StackName)
        assert stack, "after its deletion a stack is known by its id alone"
        return {"StackEvents": stack.events}

    def get_template(self, StackName: str, TemplateStage: str) -> dict[str, Any]:  # noqa: N803
        stack = self._find(StackName)
        assert stack
        assert TemplateStage == "Original"
        return {"TemplateBody": json.loads(json.dumps(stack.template))}

    def list_stack_resources(self, StackName: str) -> dict[str, Any]:  # noqa: N803
        stack = self._find(StackName)
        assert stack
        found = []
        for logical, one in stack.template["Resources"].items():
            if one["Type"] == "AWS::Serverless::Function":
                name, digest = one["Properties"]["FunctionName"], one["Properties"]["AutoPublishCodeSha256"]
                physical = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}:{self.aws.functions.version(name)}"
                found.append((f"{logical}Version{digest[:10]}", "AWS::Lambda::Version", physical))
                if "DeploymentPreference" in one["Properties"]:
                    found.append((f"{logical}DeploymentGroup", "AWS::CodeDeploy::DeploymentGroup", f"group-{name}"))
        found.append(("ServerlessDeploymentApplication", "AWS::CodeDeploy::Application", f"application-{StackName}"))
        keys = ("LogicalResourceId", "ResourceType", "PhysicalResourceId")
        return {"StackResourceSummaries": [dict(zip(keys, one, strict=True)) for one in found]}


class Functions(Client):
    """Lambda: versions as it publishes them, and the alias `live`."""

    def __init__(self) -> None:
        self.published: dict[str, list[dict[str, Any]]] = {}
        self.alias: dict[str, str] = {}
        self.weights: dict[str, dict[str, float]] = {}

    def publish(self, resource: dict[str, Any]) -> str:
        """A version for a new hash, made live; why not, when there is none to publish."""
        said = resource["Properties"]
        name, earlier = said["FunctionName"], self.published.setdefault(said["FunctionName"], [])
        if earlier and earlier[-1]["AutoPublishCodeSha256"] == said["AutoPublishCodeSha256"]:
            return ""
        if earlier and _versioned(earlier[-1]) == _versioned(said):
            return f"A version for this Lambda function exists ( {len(earlier)} )"
        earlier.append(said)
        self.alias[name] = str(len(earlier))
        return ""

    def version(self, name: str) -> int:
        return len(self.published[name])

    def get_alias(self, FunctionName: str, Name: str) -> dict[str, Any]:  # noqa: N803
        if FunctionName not in self.alias:
            raise refused("ResourceNotFoundException")
        weights = self.weights.get(FunctionName, {})
        return {
            "FunctionVersion": self.alias[FunctionName],
            "RoutingConfig": {"AdditionalVersionWeights": weights},
        }

    def update_alias(self, FunctionName: str, Name: str, FunctionVersion: str, RoutingConfig: Any) -> None:  # noqa: N803
        self.alias[FunctionName] = FunctionVersion
        self.weights[FunctionName] = RoutingConfig["AdditionalVersionWeights"]


def _versioned(properties: dict[str, Any]) -> dict[str, Any]:
    return {name: one for name, one in properties.items() if name not in NOT_VERSIONED}


class Shifts(Client):
    """CodeDeploy: what shifts now, by deployment group; stopped, the alias is where it was."""

    def __init__(self, functions: Functions) -> None:
        self._functions = functions
        self.running: dict[str, str] = {}
        self.stopped: list[str] = []

    def list_deployments(self, applicationName: str, deploymentGroupName: str, includeOnlyStatuses: list[str]) -> Any:  # noqa: N803
        assert applicationName.startswith("application-")
        return {"deployments": [one for one, group in self.running.items() if group == deploymentGroupName]}

    def stop_deployment(self, deploymentId: str, autoRollbackEnabled: bool) -> None:  # noqa: N803
        group = self.running.pop(deploymentId)
        assert autoRollbackEnabled
        self._functions.weights[group.removeprefix("group-")] = {}
        self.stopped.append(deploymentId)

    def get_deployment(self, deploymentId: str) -> Any:  # noqa: N803
        return {"deploymentInfo": {"status": "InProgress" if deploymentId in self.running else "Stopped"}}


class Objects(Client):
    """S3."""

    class exceptions:  # noqa: N801
        class NoSuchKey(Exception):
            """As the real client has it."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}

    def put_object(self, Bucket: str, Key: str, Body: bytes) -> None:  # noqa: N803
        self.objects[Key] = Body

    def get_object(self, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803
        if Key not in self.objects:
            raise self.exceptions.NoSuchKey
        return {"Body": io.BytesIO(self.objects[Key])}

    def list_objects_v2(self, Bucket: str, Prefix: str) -> dict[str, Any]:  # noqa: N803
        return {"Contents": [{"Key": key} for key in self.objects if key.startswith(Prefix)]}


class FakeAws:
    """One account and region."""

    bucket = "the-bucket"

    def __init__(self, **others: Any) -> None:
        self.functions, self.s3 = Functions(), Objects()
        self.formation, self.shifts = Formation(self), Shifts(self.functions)
        clients = {
            "cloudformation": self.formation,
            "lambda": self.functions,
            "s3": self.s3,
            "codedeploy": self.shifts,
        }
        self.cloud = Cloud(REGION, ACCOUNT, None, clients | others)

    def value(self, said: Any) -> str:
        """What an output's value comes to."""
        return self.bucket if said == {"Ref": "Artifacts"} else json.dumps(said)
