"""Our way of running state machines in tests is held against moto's: the same states, with the same inputs and outputs.

moto runs executions in threads and really waits, so the file is hurried here: one try more after a second, waits of a second.
"""

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws
from moto.awslambda.models import LambdaFunction

from infra.plan import state_machines
from tests.world.machines import Machines

NAME = "bank_authentication"
CARD = "crd_1"
PATIENCE_SECONDS = 20
Script = dict[str, list[str]]
# Each play says what a step answers, call by call; FAILS raises, EARLY sends its own token back before it answers.
FAILS, EARLY = "fails", "early"
PLAYS: dict[str, tuple[Script, str]] = {
    "approved": ({"ask_bank": ["approved"]}, ""),
    "declined": ({"ask_bank": ["declined"]}, ""),
    "nothing to do": ({"check_card": ["done"]}, ""),
    "a try more": ({"check_card": [FAILS, "ask"], "activate_card": [FAILS, "active"]}, ""),
    "never works": ({"ask_bank": [FAILS, FAILS]}, ""),
    "cannot be ended": ({"ask_bank": ["declined"], "end_card": [FAILS, FAILS]}, ""),
    "woken": ({"ask_bank": ["challenge", "approved"]}, "wakes"),
    "woken in vain": ({"ask_bank": ["unknown", "over"]}, "wakes"),
    "time is up": ({"ask_bank": ["unknown", "approved"]}, "times out"),
    "cannot wait": ({"ask_bank": ["challenge", "approved"], "send_challenge": [FAILS, FAILS]}, ""),
    "no need to wait": ({"ask_bank": ["challenge", "approved"], "send_challenge": [EARLY]}, ""),
    "fails when woken": ({"ask_bank": ["unknown", "approved"], "await_bank": [EARLY + FAILS]}, ""),
    "a try more to wait": ({"ask_bank": ["challenge", "approved"], "send_challenge": [FAILS, "sent"]}, "wakes"),
}
QUIET = {
    "check_card": "ask",
    "ask_bank": "approved",
    "send_challenge": "sent",
    "await_bank": "waiting",
    "activate_card": "active",
    "end_card": "over",
}


def hurried() -> dict[str, Any]:
    """The real file, but for how often and how long."""
    definition: dict[str, Any] = state_machines.machines()[NAME]
    for state in definition["States"].values():
        for rule in state.get("Retry", ()):
            rule |= {"MaxAttempts": 1, "IntervalSeconds": 1}
            rule.pop("JitterStrategy")
            rule.pop("MaxDelaySeconds")
    return definition


class Steps:
    """What the steps of a play answer, the same for both ways of running it."""

    def __init__(self, script: Script) -> None:
        self.script = {name: list(said) for name, said in script.items()}
        self.tokens: list[str] = []
        self.wake: Callable[[str], object] = self.tokens.append

    def answer(self, name: str, event: dict[str, Any]) -> dict[str, Any]:
        said = self.script[name].pop(0) if self.script.get(name) else QUIET[name]
        if said.startswith(EARLY):
            self.wake(event["token"])
        if said.endswith(FAILS):
            raise ConnectionError("no answer")
        if "token" in event:
            self.tokens.append(event["token"])
        return {"card": event["card"], "outcome": said, "wait_seconds": 1}


def played_here(script: Script, then: str) -> tuple[str, list[tuple[str, Any]]]:
    """How the play ends, and each state's name with its input, as tests.world.machines runs it."""
    said = Steps(script)

    def handler(name: str) -> Any:
        return lambda event, context: said.answer(name, event)

    machines = Machines({name: handler(name) for name in QUIET}, {NAME: hurried()})
    said.wake = machines.succeed
    execution = machines.start(CARD, {"card": CARD}, NAME)
    machines.run()
    for waiting in machines.waiting():
        if then == "wakes":
            machines.succeed(waiting.token, {"nobody": "reads this"})
        else:
            machines.time_out(waiting)
    machines.run()
    told = [json.loads(line) for line in machines.history(execution)]
    return execution.status, [(one["state"], one["input"]) for one in told if "input" in one]


@pytest.fixture(scope="module")
def cloud() -> Iterator[dict[str, Any]]:
    """moto with the machine and a function for each of its steps, which answers what `steps` says."""
    held: dict[str, Any] = {}
    real = LambdaFunction._invoke_lambda

    def invoke(function: LambdaFunction, event: Any = None) -> tuple[str, bool, str]:
        given = json.loads(event) if isinstance(event, str | bytes) else event
        try:
            return json.dumps(held["steps"].answer(function.function_name, given)), False, ""
        except ConnectionError as error:
            return json.dumps({"errorType": "ConnectionError", "errorMessage": str(error)}), True, ""

    LambdaFunction._invoke_lambda = invoke  # type: ignore[method-assign]
    with mock_aws(config={"stepfunctions": {"execute_state_machine": True}}):
        policy = {"Version": "2012-10-17", "Statement": []}
        role = boto3.client("iam").create_role(RoleName="any", AssumeRolePolicyDocument=json.dumps(policy))["Role"][
            "Arn"
        ]
        text = json.dumps(hurried())
        for name in QUIET:
            made = boto3.client("lambda").create_function(
                FunctionName=name, Runtime="python3.13", Role=role, Handler="a.b", Code={"ZipFile": b""}
            )
            text = text.replace(f"${{{name}}}", made["FunctionArn"])
        held["client"] = boto3.client("stepfunctions")
        held["machine"] = held["client"].create_state_machine(name=NAME, definition=text, roleArn=role)[
            "stateMachineArn"
        ]
        yield held
    LambdaFunction._invoke_lambda = real  # type: ignore[method-assign]


def played_by_moto(cloud: dict[str, Any], play: str) -> tuple[str, list[tuple[str, Any]]]:
    """The same, as moto runs it."""
    script, then = PLAYS[play]
    said = cloud["steps"] = Steps(script)
    client = cloud["client"]
    said.wake = lambda token: client.send_task_success(taskToken=token, output="{}")
    begun = {"stateMachineArn": cloud["machine"], "name": play.replace(" ", "-"), "input": json.dumps({"card": CARD})}
    arn = client.start_execution(**begun)["executionArn"]
    until, status = time.monotonic() + PATIENCE_SECONDS, "RUNNING"
    while status == "RUNNING" and time.monotonic() < until:
        if then == "wakes" and said.tokens:
            client.send_task_success(taskToken=said.tokens.pop(), output='{"nobody": "reads this"}')
        time.sleep(0.02)
        status = client.describe_execution(executionArn=arn)["status"]
    events = client.get_execution_history(executionArn=arn, maxResults=1000)["events"]
    entered = [event["stateEnteredEventDetails"] for event in events if "stateEnteredEventDetails" in event]
    return status, [(one["name"], json.loads(one["input"])) for one in entered]


@pytest.mark.parametrize("play", PLAYS)
def test_an_execution_goes_the_same_way_here_and_on_moto(cloud, play):
    """design.md 7: tests that run machines in process can be believed."""
    assert played_here(*PLAYS[play]) == played_by_moto(cloud, play)
