"""On AWS only: what wakes somebody. Each alarm names one thing that is wrong, and docs/operations.md what to do about it."""

from collections.abc import Iterator
from typing import Any

from infra.plan import tables
from infra.plan.queues import STREAMS_DEAD, queue_name, queue_names
from infra.plan.stages import Stage
from infra.plan.state_machines import machines
from infra.plan.steps import Step
from infra.plan.triggers import Schedule, Stream
from infra.templates.words import ALIAS, logical, machine_arn, machine_name, tags

TEN_MINUTES_MILLISECONDS = 10 * 60 * 1000
# A message may be sent with a delay of 15 minutes, and comes again after two; what is older than this is not being read.
OLD_MESSAGE_SECONDS = 20 * 60
# One that waits for a bank stays in its queue for all of its asks, which takes an hour.
OLD_PATIENT_MESSAGE_SECONDS = 2 * 3600
# A few throttled calls are tried again by the client, and nobody waits for long.
THROTTLES_A_MINUTE = 10
# How long a schedule may be silent before it has failed, by how often it comes.
SILENCE_SECONDS = {"every minute": 5 * 60}
DAY_SECONDS = 24 * 3600
# How an execution ends that its own file did not foresee.
UNFORESEEN = {"ExecutionsFailed": "failed", "ExecutionsTimedOut": "timed_out", "ExecutionsAborted": "aborted"}


def template(stage: Stage, steps: list[Step]) -> dict[str, Any]:
    """The stack `alarms`; its alarms watch by name, so it is deployed before what it watches."""
    resources: dict[str, Any] = {"Key": _key(stage), "Alarms": _topic(stage)}
    patient = {name for step in steps for name in step.may.postpones}
    for queue in queue_names(sandbox_bank=stage.sandbox):
        _watch_queue(stage, queue, OLD_PATIENT_MESSAGE_SECONDS if queue in patient else OLD_MESSAGE_SECONDS, resources)
    about = "Records of a stream could not be forwarded and wait: `python -m infra dead-letters`"
    resources[logical(STREAMS_DEAD)] = _dead_letters(stage, STREAMS_DEAD, about)
    for table in tables.of_stage(sandbox=stage.sandbox):
        _watch_table(stage, table, resources)
    for step in steps:
        _watch_function(stage, step, resources)
    for machine in machines():
        _watch_machine(stage, machine, resources)
    resources["GatewayFaults"] = _alarm(
        f"{stage.prefix}-gateway-faults",
        "The gateway answered 5xx",
        "AWS/ApiGateway",
        "5XXError",
        {"ApiName": stage.prefix},
    )
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": f"Billfold {stage.name}: alarms",
        "Resources": resources,
        "Outputs": {"Topic": {"Value": {"Ref": "Alarms"}}},
    }


def _dead_letters(stage: Stage, queue: str, about: str) -> dict[str, Any]:
    name = queue_name(stage.prefix, queue)
    metric = "ApproximateNumberOfMessagesVisible"
    return _alarm(name, about, "AWS/SQS", metric, {"QueueName": name}, statistic="Maximum")


def _topic(stage: Stage) -> dict[str, Any]:
    """Whoever reads the address confirms it once, by the mail that SNS sends."""
    to = [{"Protocol": "email", "Endpoint": stage.alarm_address}] if stage.alarm_address else []
    properties = {"TopicName": f"{stage.prefix}-alarms", "KmsMasterKeyId": {"Ref": "Key"}, "Tags": tags(stage)}
    return {"Type": "AWS::SNS::Topic", "Properties": properties | ({"Subscription": to} if to else {})}


def _key(stage: Stage) -> dict[str, Any]:
    """CloudWatch may not use SNS's own key, whose policy nobody can change: with it every alarm would be silent."""
    root = {"Fn::Sub": "arn:${AWS::Partition}:iam::${AWS::AccountId}:root"}
    ours = {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}
    statements = [
        {"Effect": "Allow", "Principal": {"AWS": root}, "Action": "kms:*", "Resource": "*"},
        {
            "Effect": "Allow",
            "Principal": {"Service": "cloudwatch.amazonaws.com"},
            "Action": ["kms:Decrypt", "kms:GenerateDataKey*"],
            "Resource": "*",
            "Condition": ours,
        },
    ]
    properties = {
        "Description": f"Billfold {stage.name}: alarms",
        "EnableKeyRotation": True,
        "KeyPolicy": {"Version": "2012-10-17", "Statement": statements},
        "Tags": tags(stage),
    }
    return {"Type": "AWS::KMS::Key", "Properties": properties}


def _watch_queue(stage: Stage, queue: str, old_seconds: int, resources: dict[str, Any]) -> None:
    about = f"Messages of {queue} failed and wait: `python -m infra dead-letters`"
    resources[logical(queue, "dead_letters")] = _dead_letters(stage, f"{queue}-dead", about)
    name = queue_name(stage.prefix, queue)
    resources[logical(queue, "queue_age")] = _alarm(
        f"{name}-age",
        f"The oldest message of {queue} has waited for {old_seconds // 60} minutes",
        "AWS/SQS",
        "ApproximateAgeOfOldestMessage",
        {"QueueName": name},
        statistic="Maximum",
        threshold=old_seconds,
    )


def _watch_table(stage: Stage, table: tables.Table, resources: dict[str, Any]) -> None:
    """Throttled calls of a table, and of each index, whose throttling holds back writes of the table."""
    for index in ("", *(one.name for one in table.indexes)):
        where = {"TableName": f"{stage.prefix}-{table.name}"} | ({"GlobalSecondaryIndexName": index} if index else {})
        words = [table.name, *[index] * bool(index)]
        for kind in ("read", "write"):
            resources[logical(*words, kind, "throttles")] = _alarm(
                "-".join([stage.prefix, *words, kind, "throttles"]),
                f"DynamoDB refuses {kind}s of {' by '.join(words)}: one partition gets too many",
                "AWS/DynamoDB",
                f"{kind.capitalize()}ThrottleEvents",
                where,
                threshold=THROTTLES_A_MINUTE,
            )


def _watch_function(stage: Stage, step: Step, resources: dict[str, Any]) -> None:
    function = step.function(stage.prefix)
    for kind, watched in _of_function(stage, step, function):
        resources[logical(step.name, kind)] = _alarm(f"{function}-{kind}", **watched)


def _of_function(stage: Stage, step: Step, function: str) -> Iterator[tuple[str, dict[str, Any]]]:
    of_lambda = {"namespace": "AWS/Lambda", "dimensions": {"FunctionName": function, "Resource": f"{function}:{ALIAS}"}}
    back = "a gradual deployment of it goes back"
    yield "errors", of_lambda | {"about": f"{step.name} crashed or ran out of time; {back}", "metric": "Errors"}
    # What a step answers as a fault, or reports of a message in its batch, is no error to Lambda.
    faults = f"{step.name} had bugs or found nobody to ask; {back}"
    if step.name == "compare_charges":
        faults += ". Or our charges and a bank's list differ: `python -m infra reconciliation` shows where"
    which = {"stage": stage.prefix, "step": step.name}
    yield "faults", {"about": faults, "namespace": "Billfold", "metric": "faults", "dimensions": which}
    yield "throttles", of_lambda | {"about": f"{step.name} was called more often than it may", "metric": "Throttles"}
    if isinstance(step.trigger, Stream):
        behind = f"{step.name} is ten minutes behind its stream, which forgets after a day"
        ages = {"metric": "IteratorAge", "statistic": "Maximum", "threshold": TEN_MINUTES_MILLISECONDS}
        yield "age", of_lambda | {"about": behind} | ages
    if isinstance(step.trigger, Schedule):
        seconds = SILENCE_SECONDS.get(str(step.trigger), DAY_SECONDS)
        runs = {"metric": "Invocations", "period": seconds, "threshold": 1, "below": True}
        yield "silence", of_lambda | {"about": f"{step.name} has not run for {seconds // 60} minutes"} | runs


def _watch_machine(stage: Stage, machine: str, resources: dict[str, Any]) -> None:
    """Every path of a machine ends well, so an execution that does not has met something that nobody thought of."""
    for metric, how in UNFORESEEN.items():
        resources[logical(machine, how)] = _alarm(
            f"{machine_name(stage, machine)}-{how.replace('_', '-')}",
            f"An execution of {machine} ended as {how.replace('_', ' ')}: its log says in which state",
            "AWS/States",
            metric,
            {"StateMachineArn": machine_arn(stage, machine)},
        )


def _alarm(
    name: str,
    about: str,
    namespace: str,
    metric: str,
    dimensions: dict[str, Any],
    *,
    statistic: str = "Sum",
    threshold: int = 0,
    period: int = 60,
    below: bool = False,
) -> dict[str, Any]:
    """Alarm as soon as one period is above the threshold, and no data is good news; `below` it, and no data is none at all."""
    return {
        "Type": "AWS::CloudWatch::Alarm",
        "Properties": {
            "AlarmName": name,
            "AlarmDescription": about,
            "Namespace": namespace,
            "MetricName": metric,
            "Dimensions": [{"Name": key, "Value": value} for key, value in dimensions.items()],
            "Statistic": statistic,
            "Period": period,
            "EvaluationPeriods": 1,
            "Threshold": threshold,
            "ComparisonOperator": "LessThanThreshold" if below else "GreaterThanThreshold",
            "TreatMissingData": "breaching" if below else "notBreaching",
            "AlarmActions": [{"Ref": "Alarms"}],
        },
    }
