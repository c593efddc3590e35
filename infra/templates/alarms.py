"""On AWS only: what wakes somebody. Each alarm names one thing that is wrong, and docs/operations.md what to do about it."""

from typing import Any

from infra.stages import Stage
from infra.steps import QUEUES, SANDBOX_QUEUES, STREAMS_DEAD, Step, Stream, machines, queue_name
from infra.templates.words import ALIAS, logical, machine_arn, machine_name, tags

TEN_MINUTES_MILLISECONDS = 10 * 60 * 1000
# How an execution ends that its own file did not foresee.
UNFORESEEN = {"ExecutionsFailed": "failed", "ExecutionsTimedOut": "timed_out", "ExecutionsAborted": "aborted"}


def template(stage: Stage, steps: list[Step]) -> dict[str, Any]:
    """The stack `alarms`; its alarms watch by name, so it is deployed before what it watches."""
    resources: dict[str, Any] = {
        "Alarms": {
            "Type": "AWS::SNS::Topic",
            "Properties": {
                "TopicName": f"{stage.prefix}-alarms",
                "KmsMasterKeyId": "alias/aws/sns",
                "Tags": tags(stage),
            },
        }
    }
    for queue in (*QUEUES, *SANDBOX_QUEUES * stage.sandbox):
        about = f"Messages of {queue} failed and wait: `python -m infra dead-letters`"
        resources[logical(queue, "dead_letters")] = _dead_letters(stage, f"{queue}-dead", about)
    about = "Records of a stream could not be forwarded and wait: `python -m infra dead-letters`"
    resources[logical(STREAMS_DEAD)] = _dead_letters(stage, STREAMS_DEAD, about)
    for step in steps:
        _watch_function(stage, step, resources)
    for machine in machines():
        _watch_machine(stage, machine, resources)
    resources["Differences"] = _alarm(
        f"{stage.prefix}-differences",
        "Our charges and a bank's list of them differ: `python -m infra reconciliation` shows where",
        "Billfold",
        "faults",
        {"step": "reconcile_charges"},
    )
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


def _watch_function(stage: Stage, step: Step, resources: dict[str, Any]) -> None:
    function = step.function(stage.prefix)
    resource = {"FunctionName": function, "Resource": f"{function}:{ALIAS}"}
    resources[logical(step.name, "errors")] = _alarm(
        f"{function}-errors",
        f"{step.name} crashed; a gradual deployment of it goes back",
        "AWS/Lambda",
        "Errors",
        resource,
    )
    resources[logical(step.name, "throttles")] = _alarm(
        f"{function}-throttles",
        f"{step.name} was called more often at once than it may",
        "AWS/Lambda",
        "Throttles",
        resource,
    )
    if isinstance(step.trigger, Stream):
        resources[logical(step.name, "age")] = _alarm(
            f"{function}-age",
            f"{step.name} is ten minutes behind its stream, which forgets after a day",
            "AWS/Lambda",
            "IteratorAge",
            resource,
            statistic="Maximum",
            threshold=TEN_MINUTES_MILLISECONDS,
        )


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
) -> dict[str, Any]:
    """Alarm as soon as one minute is above the threshold; no data is good news."""
    return {
        "Type": "AWS::CloudWatch::Alarm",
        "Properties": {
            "AlarmName": name,
            "AlarmDescription": about,
            "Namespace": namespace,
            "MetricName": metric,
            "Dimensions": [{"Name": key, "Value": value} for key, value in dimensions.items()],
            "Statistic": statistic,
            "Period": 60,
            "EvaluationPeriods": 1,
            "Threshold": threshold,
            "ComparisonOperator": "GreaterThanThreshold",
            "TreatMissingData": "notBreaching",
            "AlarmActions": [{"Ref": "Alarms"}],
        },
    }
