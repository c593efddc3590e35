"""The state machines: their files can end, tell nothing but ids, and are deployed with leave to call their steps alone."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from infra import templates
from infra.deploy.differences import WAIT_SECONDS, without_what_only_aws_has
from infra.plan import stages, state_machines, steps
from infra.plan.state_machines import machines
from infra.plan.triggers import Task
from infra.templates.machines import LOG_DELIVERY

STEPS = steps.known()
MACHINES = machines()
STATES = [(machine, name) for machine, said in MACHINES.items() for name in said["States"]]
TASKS = [(machine, name) for machine, name in STATES if MACHINES[machine]["States"][name]["Type"] == "Task"]
STAGE = stages.stage("production")
BUILT = templates.build(STAGE, STEPS, templates.sample_codes(STEPS))
# All that an execution may know: ids, what a step made of them, how long to wait, and the token to be woken by.
KNOWN = {"$.card", "$.outcome", "$.wait_seconds", "$$.Task.Token"}
# What a state may be and say here; the test harness, the local cloud and the drawing understand this much.
UNDERSTOOD = {
    "Task": {"Type", "Comment", "Resource", "Parameters", "ResultPath", "Retry", "Catch", "Next"}
    | {"TimeoutSeconds", "TimeoutSecondsPath"},
    "Choice": {"Type", "Comment", "Choices", "Default"},
    "Succeed": {"Type", "Comment"},
}


def state_of(machine: str, name: str) -> dict[str, Any]:
    return MACHINES[machine]["States"][name]


def followers(state: dict[str, Any]) -> Iterator[str]:
    """Every state that may come after one."""
    for rule in (*state.get("Choices", ()), *state.get("Catch", ())):
        yield rule["Next"]
    yield from (state[word] for word in ("Next", "Default") if word in state)


def paths(value: Any) -> Iterator[str]:
    """Every path into the input or the context that a part of a file names."""
    if isinstance(value, dict):
        for one in value.values():
            yield from paths(one)
    elif isinstance(value, list):
        for one in value:
            yield from paths(one)
    elif isinstance(value, str) and value.startswith("$") and not value.startswith("${"):
        yield value


def resources(machine: str) -> dict[str, Any]:
    """The stack of a machine."""
    return BUILT[f"{STAGE.prefix}-machine-{machine.replace('_', '-')}"]["Resources"]


def own_aliases(machine: str) -> list[str]:
    """The functions that a machine calls, worked out by hand of this test."""
    names = sorted(set(re.findall(r"\$\{(\w+)\}", json.dumps(MACHINES[machine]))))
    own = "arn:${AWS::Partition}:lambda:${AWS::Region}:${AWS::AccountId}:function:"
    return [f"{own}{STAGE.prefix}-{name.replace('_', '-')}:live" for name in names]


@pytest.mark.parametrize("machine", MACHINES)
def test_every_step_that_a_machine_names_is_a_task_of_it(machine):
    """design.md 7: the file and the map say the same, both ways."""
    on_the_map = {step.name for step in STEPS if step.trigger == Task(machine)}
    named = state_machines.tasks(MACHINES[machine])
    assert named == on_the_map, f"app.py: add task(…) for {sorted(named - on_the_map)}, which {machine}.asl.json names"


@pytest.mark.parametrize("machine", MACHINES)
def test_every_state_is_reached_and_every_next_state_exists(machine):
    """Nothing in a file is dead, and nothing leads nowhere."""
    reached, waiting = set(), [MACHINES[machine]["StartAt"]]
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            waiting += followers(state_of(machine, name))
    assert reached == set(MACHINES[machine]["States"])


@pytest.mark.parametrize(("machine", "name"), STATES)
def test_every_state_can_come_to_a_good_end(machine, name):
    """CB-13: whatever happened, there is a way to Succeed; no execution ends as failed by its own file."""
    seen, waiting = set(), [name]
    while waiting:
        here = waiting.pop()
        if here not in seen:
            seen.add(here)
            waiting += followers(state_of(machine, here))
    assert any(state_of(machine, one)["Type"] == "Succeed" for one in seen)


@pytest.mark.parametrize(("machine", "name"), STATES)
def test_a_state_says_only_what_is_understood_everywhere(machine, name):
    """No Fail, Wait, Map or path of another language slips in unseen by the harness, the local cloud or the drawing."""
    state = state_of(machine, name)
    assert set(state) <= UNDERSTOOD[state["Type"]]


@pytest.mark.parametrize(("machine", "name"), TASKS)
def test_every_task_ends_in_time_is_tried_again_and_is_caught(machine, name):
    """design.md 7; the last task before the end has nothing to be caught by, so it is tried the longest."""
    state = state_of(machine, name)
    assert ("TimeoutSeconds" in state) is not ("TimeoutSecondsPath" in state)
    assert [retry["ErrorEquals"] for retry in state["Retry"]] in ([["States.ALL"]], [["States.TaskFailed"]])
    assert all(retry["MaxAttempts"] >= 4 and retry["JitterStrategy"] == "FULL" for retry in state["Retry"])
    if "Catch" in state:
        assert [catch["ErrorEquals"] for catch in state["Catch"]] == [["States.ALL"]]
        return
    caught_by = {catch["Next"] for said in MACHINES[machine]["States"].values() for catch in said.get("Catch", ())}
    tasks = [one for its_machine, one in TASKS if its_machine == machine]
    longest = max(retry["MaxAttempts"] for one in tasks for retry in state_of(machine, one)["Retry"])
    assert name in caught_by, f"{machine}.asl.json: give {name} a Catch, or let other tasks be caught by it"
    assert state_of(machine, state["Next"])["Type"] == "Succeed"
    assert state["Retry"][0]["MaxAttempts"] == longest


@pytest.mark.parametrize(("machine", "name"), TASKS)
def test_a_task_that_runs_longer_than_its_function_may_is_given_up(machine, name):
    """A function's own end comes first, so no task is tried again while it still works."""
    state = state_of(machine, name)
    if "TimeoutSeconds" in state:
        (step,) = [one for one in steps.known() if one.name in state_machines.tasks(state)]
        assert state["TimeoutSeconds"] > step.settings(STAGE).timeout_seconds


@pytest.mark.parametrize(("machine", "name"), TASKS)
def test_no_error_text_reaches_the_next_state(machine, name):
    """CB-18: an exception's text stays out of every input and output."""
    assert all(catch["ResultPath"] is None for catch in state_of(machine, name).get("Catch", ()))


@pytest.mark.parametrize("machine", MACHINES)
def test_a_machine_passes_ids_outcomes_seconds_and_tokens_only(machine):
    """CB-18: card data can be in no input, output or history, because no state has a way to name it."""
    assert set(paths(MACHINES[machine])) <= KNOWN


@pytest.mark.parametrize("machine", MACHINES)
def test_a_choice_is_made_by_outcomes_and_has_a_default(machine):
    """Business outcomes are data; one that nobody thought of goes a safe way."""
    for state in MACHINES[machine]["States"].values():
        if state["Type"] == "Choice":
            assert "Default" in state
            assert {tuple(rule) for rule in state["Choices"]} == {("Variable", "StringEquals", "Next")}
            assert {rule["Variable"] for rule in state["Choices"]} == {"$.outcome"}


@pytest.mark.parametrize("machine", MACHINES)
def test_a_machine_is_deployed_as_its_file_says(machine):
    """Standard, named by its file, every step by its alias, logs without data, no tracing."""
    properties = resources(machine)["Machine"]["Properties"]
    assert properties["StateMachineName"] == f"{STAGE.prefix}-{machine.replace('_', '-')}"
    assert properties["StateMachineType"] == "STANDARD"
    assert properties["TracingConfiguration"] == {"Enabled": False}
    logging = properties["LoggingConfiguration"]
    assert (logging["Level"], logging["IncludeExecutionData"]) == ("ERROR", False)
    text, named = properties["DefinitionString"]["Fn::Sub"]
    assert json.loads(text.replace("${AWS::Partition}", "aws")) == MACHINES[machine]
    assert [arn["Fn::Sub"] for _, arn in sorted(named.items())] == own_aliases(machine)


@pytest.mark.parametrize("machine", MACHINES)
def test_a_machines_role_invokes_its_own_steps_and_nothing_else(machine):
    """XX-06; what else it may is to have its log delivered, which AWS grants on no resource."""
    properties = resources(machine)["Role"]["Properties"]
    (policy,) = properties["Policies"]
    invoke, log = policy["PolicyDocument"]["Statement"]
    assert invoke["Action"] == ["lambda:InvokeFunction"]
    assert [arn["Fn::Sub"] for arn in invoke["Resource"]] == own_aliases(machine)
    assert log["Action"] == LOG_DELIVERY
    assert all(
        re.fullmatch(r"logs:\w*(Deliver|ResourcePolic|DescribeLogGroups)\w*", action) for action in log["Action"]
    )
    (trust,) = properties["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"Service": "states.amazonaws.com"}
    own_arn = trust["Condition"]["ArnEquals"]["aws:SourceArn"]["Fn::Sub"]
    assert own_arn.endswith(f":stateMachine:{STAGE.prefix}-{machine.replace('_', '-')}")


def test_a_task_of_a_machine_is_called_by_that_machine_alone():
    """No event source, no route, no permission and no other role leads to its function."""
    tasks = {step.name: step.function(STAGE.prefix) for step in STEPS if isinstance(step.trigger, Task)}
    for stack, template in BUILT.items():
        for resource in template["Resources"].values():
            if resource["Type"] == "AWS::Serverless::Function" and "Events" in resource["Properties"]:
                assert resource["Properties"]["FunctionName"] not in tasks.values()
            elif resource["Type"].startswith(("AWS::ApiGateway::", "AWS::Lambda::Permission")):
                assert not [name for name in tasks.values() if f"{name}:live" in json.dumps(resource)]
            elif resource["Type"] == "AWS::IAM::Role" and "-machine-" not in stack:
                assert "lambda:InvokeFunction" not in json.dumps(resource)


@pytest.mark.parametrize("machine", MACHINES)
def test_every_unforeseen_end_of_an_execution_wakes_somebody(machine):
    """Failed, timed out, aborted: each has its alarm."""
    alarms = BUILT[f"{STAGE.prefix}-alarms"]["Resources"].values()
    own = [one["Properties"] for one in alarms if one["Properties"].get("Namespace") == "AWS/States"]
    named = f":stateMachine:{STAGE.prefix}-{machine.replace('_', '-')}"
    watched = {one["MetricName"] for one in own if one["Dimensions"][0]["Value"]["Fn::Sub"].endswith(named)}
    assert watched == {"ExecutionsFailed", "ExecutionsTimedOut", "ExecutionsAborted"}


@pytest.mark.parametrize("machine", MACHINES)
def test_the_local_cloud_waits_fixed_times_and_differs_in_nothing_else(machine):
    """The emulator ignores TimeoutSecondsPath; every other word of the file is the same there."""
    (name,) = [name for name, template in BUILT.items() if template["Resources"] == resources(machine)]
    local = without_what_only_aws_has(BUILT[name])["Resources"]["Machine"]["Properties"]["DefinitionString"]["Fn::Sub"][
        0
    ]
    expected = json.loads(json.dumps(MACHINES[machine]))
    for state in expected["States"].values():
        if state.pop("TimeoutSecondsPath", None):
            state["TimeoutSeconds"] = WAIT_SECONDS
    assert json.loads(local.replace("${AWS::Partition}", "aws")) == expected
