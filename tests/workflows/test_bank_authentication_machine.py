"""The state machine `bank_authentication` state by state: every choice, catch and exhausted retry, with stand-ins for its steps.

The file is the real one. What the steps themselves do is tested with them; here they say what the play tells them to.
"""

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from infra.plan.state_machines import machines, tasks
from tests.world.machines import Execution, Machines, Overdue

CARD = "crd_1"
NAME = "bank_authentication"
STATES = machines()[NAME]["States"]
TASKS = [name for name, state in STATES.items() if state["Type"] == "Task"]
WAITING = {"AwaitCode": "challenge", "AwaitBank": "unknown"}
WORKING = [name for name in TASKS if name not in WAITING]
END = {"ActivateCard": "active", "EndCard": "over"}


class Unreachable(Exception):
    """What a step raises when something does not answer."""


def step_of(state: str) -> str:
    (name,) = tasks(STATES[state])
    return name


def attempts(state: str) -> int:
    """How often a failing task is called."""
    return 1 + sum(rule["MaxAttempts"] for rule in STATES[state]["Retry"])


@dataclass
class Play:
    """What each step says: one outcome after the other, the last one for ever; an exception is raised."""

    script: dict[str, list[Any]]
    given: list[tuple[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        handlers = {name: self._handler(name) for name in tasks(machines()[NAME])}
        self.machines = Machines(handlers)
        self.execution = self.machines.start(CARD, {"card": CARD})
        self.machines.run()

    def _handler(self, name: str) -> Any:
        def handler(event: Any, context: Any) -> Any:
            self.given.append((name, event))
            said = self.script[name].pop(0) if len(self.script[name]) > 1 else self.script[name][0]
            if isinstance(said, Exception):
                raise said
            return {"card": event["card"], "outcome": said, "wait_seconds": 7}

        return handler

    def wake(self) -> None:
        """Somebody knows more: the token comes back."""
        self.machines.succeed(self.execution.token, {})
        self.machines.run()

    def calls(self, name: str) -> int:
        return Counter(called for called, _ in self.given)[name]


def play(**script: Any) -> Play:
    """A play in which nothing goes wrong, but for what is said otherwise."""
    quiet = {
        "check_card": ["ask"],
        "ask_bank": ["approved"],
        "send_challenge": ["sent"],
        "await_bank": ["waiting"],
        "activate_card": ["active"],
        "end_card": ["over"],
    }
    return Play(quiet | {name: said if isinstance(said, list) else [said] for name, said in script.items()})


def leading_to(state: str, **script: Any) -> Play:
    """A play that comes to a task of the machine and, from there, goes on as the script says."""
    way = {"EndCard": ["declined"], "AwaitCode": ["challenge", "approved"], "AwaitBank": ["unknown", "approved"]}
    return play(**({"ask_bank": way[state]} if state in way else {}) | script)


def ended_well(execution: Execution) -> bool:
    return execution.status == "SUCCEEDED" and execution.states[-1] == "OwnerIsTold" and not execution.token


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("approved", ["CheckCard", "IsWaiting", "AskBank", "WhatTheBankSaid", "ActivateCard", "OwnerIsTold"]),
        ("declined", ["CheckCard", "IsWaiting", "AskBank", "WhatTheBankSaid", "EndCard", "OwnerIsTold"]),
        ("over", ["CheckCard", "IsWaiting", "AskBank", "WhatTheBankSaid", "OwnerIsTold"]),
        ("what nobody thought of", ["CheckCard", "IsWaiting", "AskBank", "WhatTheBankSaid", "EndCard", "OwnerIsTold"]),
    ],
)
def test_what_the_bank_says_chooses_the_way(said, expected):
    """CB-10: a card is activated on the bank's approval and on nothing else."""
    done = play(ask_bank=said)
    assert done.execution.states == expected
    assert ended_well(done.execution)
    assert done.calls("activate_card") == (1 if said == "approved" else 0)


@pytest.mark.parametrize("said", ["done", "removed", "what nobody thought of"])
def test_a_card_that_does_not_wait_makes_no_bank_call(said):
    """A second start of a card that is already bound, or removed meanwhile, does nothing."""
    done = play(check_card=said)
    assert done.execution.states == ["CheckCard", "IsWaiting", "OwnerIsTold"]
    assert ended_well(done.execution)
    assert [name for name, _ in done.given] == ["check_card"]


@pytest.mark.parametrize(("state", "said"), WAITING.items())
def test_a_wait_lasts_until_its_token_comes_back_and_the_bank_is_asked_again(state, said):
    """CB-09, CB-13: the customer's code or the bank's callback resumes; what it means is the bank's to say."""
    begun = play(ask_bank=[said, "approved"])
    (waiting,) = begun.machines.waiting()
    assert (waiting.state, waiting.seconds) == (state, 7)
    assert begun.given[-1] == (step_of(state), {"card": CARD, "token": waiting.token})
    begun.wake()
    assert begun.execution.states[4:] == [state, "AskBank", "WhatTheBankSaid", "ActivateCard", "OwnerIsTold"]
    assert ended_well(begun.execution)


@pytest.mark.parametrize(("state", "said"), WAITING.items())
def test_what_comes_back_with_a_token_decides_nothing(state, said):
    """CB-14: the machine believes the bank's answer to its own question, not whoever holds a token."""
    begun = play(ask_bank=[said, "declined"])
    begun.machines.succeed(begun.execution.token, {"outcome": "approved", "card": "crd_2"})
    begun.machines.run()
    assert begun.execution.states[-2:] == ["EndCard", "OwnerIsTold"]
    assert begun.calls("activate_card") == 0
    assert {given["card"] for _, given in begun.given} == {CARD}


@pytest.mark.parametrize(("state", "said"), WAITING.items())
def test_a_wait_that_nobody_ends_ends_by_itself(state, said):
    """CB-13: time is up, so the bank is asked again, and the waiting function is not called again for the same wait."""
    begun = play(ask_bank=[said, said, "over"])
    first = begun.execution.token
    begun.machines.time_out(begun.execution)
    begun.machines.run()
    assert begun.execution.state == state
    assert begun.execution.token != first
    assert (begun.calls("ask_bank"), begun.calls(step_of(state))) == (2, 2)
    begun.machines.time_out(begun.execution)
    begun.machines.run()
    assert begun.execution.states[-2:] == ["WhatTheBankSaid", "OwnerIsTold"]
    assert ended_well(begun.execution)


@pytest.mark.parametrize("fault", [Unreachable("no answer"), Overdue("too long")], ids=["fails", "takes too long"])
@pytest.mark.parametrize("state", WORKING)
def test_a_task_that_fails_is_tried_again_and_then_goes_on(state, fault):
    """One fault less than the retries cannot change where it ends."""
    undisturbed = leading_to(state).execution.states
    said = {"check_card": "ask", "ask_bank": "approved", "activate_card": "active", "end_card": "over"}[step_of(state)]
    done = leading_to(state, **{step_of(state): [fault] * (attempts(state) - 1) + [said]})
    assert done.execution.states == undisturbed
    assert done.calls(step_of(state)) == attempts(state)
    assert ended_well(done.execution)


@pytest.mark.parametrize("fault", [Unreachable("no answer"), Overdue("too long")], ids=["fails", "takes too long"])
@pytest.mark.parametrize("state", [name for name in WORKING if name != "EndCard"])
def test_a_task_that_never_works_ends_the_card(state, fault):
    """CB-13: success is never assumed; when tries are used up the card ends, and the execution ends well."""
    done = leading_to(state, **{step_of(state): fault})
    assert done.calls(step_of(state)) == attempts(state)
    assert done.execution.states[-3:] == [state, "EndCard", "OwnerIsTold"]
    assert ended_well(done.execution)
    if state != "ActivateCard":
        assert done.calls("activate_card") == 0


def test_a_card_that_cannot_even_be_ended_wakes_somebody():
    """The one way to fail: the alarm on ExecutionsFailed rings after an hour of tries, and the card stays unusable."""
    done = leading_to("EndCard", end_card=Unreachable("no answer"))
    assert done.calls("end_card") == attempts("EndCard")
    assert done.execution.status == "FAILED"
    assert done.calls("activate_card") == 0


@pytest.mark.parametrize(("state", "said"), WAITING.items())
def test_a_wait_that_could_not_be_prepared_is_tried_again_with_a_token_of_its_own(state, said):
    """Each try of the waiting function gets a fresh token; those before are worth nothing."""
    failing = [Unreachable("no answer")] * (attempts(state) - 1) + ["sent"]
    begun = play(**{"ask_bank": [said, "approved"], step_of(state): failing})
    tokens = [given["token"] for name, given in begun.given if name == step_of(state)]
    assert len(set(tokens)) == attempts(state)
    assert begun.execution.token == tokens[-1]
    with pytest.raises(ClientError, match="TaskTimedOut"):
        begun.machines.succeed(tokens[0])
    begun.wake()
    assert ended_well(begun.execution)


@pytest.mark.parametrize(("state", "said"), WAITING.items())
def test_a_wait_that_can_never_be_prepared_asks_the_bank_again(state, said):
    """The bank's word, or the end of the 15 minutes, is found by asking."""
    done = play(**{"ask_bank": [said, "over"], step_of(state): Unreachable("no answer")})
    assert done.calls(step_of(state)) == attempts(state)
    assert done.execution.states[-4:] == [state, "AskBank", "WhatTheBankSaid", "OwnerIsTold"]
    assert ended_well(done.execution)


@pytest.mark.parametrize(("state", "said"), WAITING.items())
@pytest.mark.parametrize("then", ["answers", "fails"])
def test_a_word_that_came_before_the_wait_ends_it_at_once(state, said, then):
    """The waiting step may find that the bank has spoken meanwhile: its token works while it still runs, whatever it says last."""
    begun = play(ask_bank=["over"])

    def finds_the_word(event: Any, context: Any) -> Any:
        begun.machines.succeed(event["token"], {})
        if then == "fails":
            raise Unreachable("no answer")
        return {"card": event["card"], "outcome": "resumed"}

    begun.script["ask_bank"] = [said, "approved"]
    begun.machines.handlers[step_of(state)] = finds_the_word
    execution = begun.machines.start("crd_2", {"card": "crd_2"})
    begun.machines.run()
    assert execution.states[3:6] == ["WhatTheBankSaid", state, "AskBank"]
    assert ended_well(execution)


def test_a_history_holds_ids_outcomes_seconds_and_tokens_only():
    """CB-18: nothing but these words is in any input, output or call."""
    begun = play(ask_bank=["challenge", "unknown", "approved"])
    begun.wake()
    begun.wake()
    assert ended_well(begun.execution)
    words = set()
    for line in begun.machines.history(begun.execution):
        for part in ("input", "output", "given"):
            words |= set(json.loads(line).get(part, {}))
    assert words == {"card", "outcome", "wait_seconds", "token"}


def test_one_card_has_one_execution():
    """Named by the card's id: a change that the stream tells twice starts nothing twice, as long as it runs and after."""
    begun = play(ask_bank=["challenge", "approved"])
    assert begun.machines.start(CARD, {"card": CARD}) is begun.execution
    for again in ({"card": "crd_2"}, {"card": CARD}):
        with pytest.raises(ClientError, match="ExecutionAlreadyExists"):
            begun.machines.start(CARD, again)
        if begun.execution.status == "RUNNING":
            begun.wake()
    assert begun.calls("check_card") == 1


def test_the_calls_that_steps_make_are_answered_as_aws_does():
    """StartExecution and SendTaskSuccess through boto3, with AWS's own errors; other services are left alone."""
    begun = play(ask_bank=["challenge", "approved"])
    with mock_aws(), begun.machines:
        client: Any = boto3.client("stepfunctions")
        machine = f"arn:aws:states:eu-west-1:123456789012:stateMachine:billfold-{NAME.replace('_', '-')}"
        assert client.start_execution(stateMachineArn=machine, name="crd_9", input='{"card": "crd_9"}')["executionArn"]
        with pytest.raises(client.exceptions.ExecutionAlreadyExists):
            client.start_execution(stateMachineArn=machine, name="crd_9", input='{"card": "crd_8"}')
        begun.machines.run()
        token = begun.execution.token
        client.send_task_success(taskToken=token, output="{}")
        with pytest.raises(client.exceptions.TaskTimedOut):
            client.send_task_success(taskToken=token, output="{}")
        with pytest.raises(client.exceptions.InvalidToken):
            client.send_task_success(taskToken="of nobody", output="{}")
        assert boto3.client("sqs").list_queues()
        begun.machines.run()
    assert {one.status for one in begun.machines.executions.values()} == {"SUCCEEDED"}
