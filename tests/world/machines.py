"""Step Functions for tests in process: runs the real `infra/plan/*.asl.json` against steps, without threads and without waiting.

It knows what our files may say (tests/architecture/test_machines.py holds them to it) and answers the two calls that steps
make, StartExecution and SendTaskSuccess, as AWS does; tests/workflows/test_machines_beside_moto.py holds it against moto's.
"""

import copy
import itertools
import json
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

from botocore.client import BaseClient
from botocore.exceptions import ClientError
from botocore.validate import validate_parameters

from infra.plan.state_machines import machines
from tests.world import STEPS

# The way that every call of every client goes; its type hides it.
CLIENTS: Any = BaseClient
Handler = Callable[[Any, Any], Any]
ARN = "arn:aws:states:eu-west-1:123456789012"
# What AWS allows is 25,000 events; a test that comes this far goes round in circles.
MAX_TOLD = 2_000


class Overdue(Exception):
    """What a stand-in raises when it takes longer than its task's TimeoutSeconds."""


@dataclass(eq=False)
class Execution:
    """One execution. `state` is where it is, `data` that state's input; it waits while it has a `token` that nobody used."""

    machine: str
    name: str
    input: str
    state: str = ""
    data: Any = None
    status: str = "RUNNING"
    token: str = ""
    seconds: int = 0
    answered: bool = False
    answer: Any = None
    tries: dict[int, int] = field(default_factory=dict)
    states: list[str] = field(default_factory=list)
    told: list[str] = field(default_factory=list)

    @property
    def waits(self) -> bool:
        return bool(self.token) and not self.answered

    def tell(self, **facts: Any) -> None:
        """Another line of the history."""
        assert len(self.told) < MAX_TOLD, f"{self.name} goes round in circles: {self.states[-8:]}"
        self.told.append(json.dumps(facts))


def real() -> "Machines":
    """The state machines of the map with the real steps, which find the tables where the test put them."""
    return Machines({name: module.handler for name, module in STEPS.items()})


class Machines:
    """The state machines of a world. `handlers` are the steps by name; within `with`, boto3's calls are answered here."""

    def __init__(self, handlers: dict[str, Handler], definitions: dict[str, Any] | None = None) -> None:
        self.handlers = handlers
        self.definitions = definitions or machines()
        self.executions: dict[str, Execution] = {}
        self._spent: set[str] = set()
        self._numbers = itertools.count(1)

    def start(self, name: str, input: Any, machine: str = "bank_authentication") -> Execution:
        """What StartExecution does; the same name and input while it runs are the same execution (else ClientError)."""
        text = input if isinstance(input, str) else json.dumps(input)
        if known := self.executions.get(name):
            if (known.machine, known.status, known.input) == (machine, "RUNNING", text):
                return known
            raise _error("ExecutionAlreadyExists", "StartExecution")
        execution = self.executions[name] = Execution(machine, name, text)
        self._enter(execution, self.definitions[machine]["StartAt"], json.loads(text))
        return execution

    def run(self) -> None:
        """Run every execution until it waits or ends, those too that are started meanwhile."""
        while ready := [one for one in self.executions.values() if one.status == "RUNNING" and not one.waits]:
            for execution in ready:
                self._advance(execution)

    def waiting(self) -> list[Execution]:
        """The executions that wait: for what `state` says, with `token`, at most `seconds`."""
        return [one for one in self.executions.values() if one.status == "RUNNING" and one.waits]

    def succeed(self, token: str, output: Any = None) -> None:
        """What SendTaskSuccess does; ClientError TaskTimedOut for a token that is over, InvalidToken for one never given."""
        for execution in self.executions.values():
            if execution.token == token and execution.waits:
                execution.answered, execution.answer = True, output
                self._spent.add(token)
                return
        raise _error("TaskTimedOut" if token in self._spent else "InvalidToken", "SendTaskSuccess")

    def time_out(self, execution: Execution) -> None:
        """The time of a waiting execution is up; `run` goes on with it."""
        assert execution.waits, f"{execution.name} waits for nothing"
        self._fail(execution, "States.Timeout", "")

    def look(self) -> dict[str, dict[str, Any]]:
        """Every execution by name, as plain data."""
        return {name: asdict(execution) for name, execution in self.executions.items()}

    def put_back(self, seen: Mapping[str, dict[str, Any]]) -> None:
        """Make the executions what `look` saw."""
        self.executions = {name: Execution(**copy.deepcopy(facts)) for name, facts in seen.items()}

    def history(self, execution: Execution) -> list[str]:
        """Every state's input and output, what its function was given, and every error with its text, each as JSON."""
        return list(execution.told)

    def __enter__(self) -> "Machines":
        self._real = CLIENTS._make_api_call

        def pass_on(client: Any, action: str, arguments: dict[str, Any]) -> Any:
            if client.meta.service_model.service_name != "stepfunctions":
                return self._real(client, action, arguments)
            validate_parameters(arguments, client.meta.service_model.operation_model(action).input_shape)
            try:
                return self._serve(action, arguments)
            except ClientError as error:
                raise client.exceptions.from_code(error.response["Error"]["Code"])(error.response, action) from None

        CLIENTS._make_api_call = pass_on
        os.environ |= {f"BILLFOLD_MACHINE_{name.upper()}": _arn(name) for name in self.definitions}
        return self

    def __exit__(self, *_: object) -> None:
        CLIENTS._make_api_call = self._real

    def _serve(self, action: str, arguments: dict[str, Any]) -> dict[str, Any]:
        if action == "SendTaskSuccess":
            self.succeed(arguments["taskToken"], json.loads(arguments["output"]))
            return {}
        assert action == "StartExecution", f"no step calls {action}"
        machine = next(name for name in self.definitions if _arn(name) == arguments["stateMachineArn"])
        self.start(arguments["name"], arguments.get("input", "{}"), machine)
        return {"executionArn": f"{ARN}:execution:{arguments['name']}", "startDate": datetime.now(UTC)}

    def _state(self, execution: Execution) -> dict[str, Any]:
        return dict(self.definitions[execution.machine]["States"][execution.state])

    def _advance(self, execution: Execution) -> None:
        while execution.status == "RUNNING" and not execution.waits:
            state = self._state(execution)
            if state["Type"] == "Succeed":
                execution.status = "SUCCEEDED"
                execution.tell(state=execution.state, output=execution.data)
            elif state["Type"] == "Choice":
                self._leave(execution, _choose(state, execution.data), execution.data)
            elif execution.answered:
                self._done(execution, state, execution.answer)
            else:
                self._attempt(execution, state)

    def _attempt(self, execution: Execution, state: dict[str, Any]) -> None:
        """Call the task's step once, as Lambda would: with JSON, and back as JSON."""
        step, payload = state["Resource"], execution.data
        awaits = step.endswith(":lambda:invoke.waitForTaskToken")
        if awaits:
            execution.token = f"token-{next(self._numbers)}-of-{execution.name}"
            execution.seconds = state.get("TimeoutSeconds") or _at(state["TimeoutSecondsPath"], execution)
            assert type(execution.seconds) is int, "AWS fails an execution whose time is no whole number"
            assert execution.seconds > 0, "AWS fails an execution whose time is not positive"
            call = _filled(state["Parameters"], execution)
            step, payload = call["FunctionName"], call["Payload"]
        execution.tell(state=execution.state, given=payload)
        try:
            result = json.loads(json.dumps(self.handlers[step[2:-1]](copy.deepcopy(payload), None)))
        except Exception as error:
            if not execution.answered:
                self._fail(
                    execution, "States.Timeout" if isinstance(error, Overdue) else type(error).__name__, str(error)
                )
            return
        except BaseException:
            # A crash: AWS calls the function again, and so does the next `run`.
            if not execution.answered:
                self._forget_token(execution)
            raise
        if not awaits:
            self._done(execution, state, result)

    def _done(self, execution: Execution, state: dict[str, Any], result: Any) -> None:
        kept = state.get("ResultPath", "$")
        assert kept in ("$", None), "no file of ours says another ResultPath"
        self._leave(execution, state["Next"], result if kept else execution.data)

    def _fail(self, execution: Execution, error: str, cause: str) -> None:
        """Try again, or go the way of the catch, or fail."""
        state = self._state(execution)
        execution.tell(state=execution.state, error=error, cause=cause)
        self._forget_token(execution)
        for number, rule in enumerate(state.get("Retry", ())):
            if _matches(rule, error):
                execution.tries[number] = execution.tries.get(number, 0) + 1
                if execution.tries[number] <= rule["MaxAttempts"]:
                    return
                break
        for rule in state.get("Catch", ()):
            if _matches(rule, error):
                assert rule["ResultPath"] is None, "no file of ours passes an error on"
                self._leave(execution, rule["Next"], execution.data)
                return
        execution.status = "FAILED"

    def _leave(self, execution: Execution, following: str, output: Any) -> None:
        execution.tell(state=execution.state, output=output)
        self._forget_token(execution)
        self._enter(execution, following, output)

    def _enter(self, execution: Execution, name: str, data: Any) -> None:
        execution.state, execution.data, execution.tries = name, data, {}
        execution.states.append(name)
        execution.tell(state=name, input=data)

    def _forget_token(self, execution: Execution) -> None:
        self._spent.add(execution.token)
        execution.token, execution.seconds, execution.answered, execution.answer = "", 0, False, None


def _arn(machine: str) -> str:
    return f"{ARN}:stateMachine:billfold-{machine.replace('_', '-')}"


def _error(code: str, action: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": code}}, action)


def _choose(state: dict[str, Any], data: Any) -> str:
    for rule in state["Choices"]:
        if data[rule["Variable"].removeprefix("$.")] == rule["StringEquals"]:
            return str(rule["Next"])
    return str(state["Default"])


def _at(path: str, execution: Execution) -> Any:
    return execution.token if path == "$$.Task.Token" else execution.data[path.removeprefix("$.")]


def _filled(template: dict[str, Any], execution: Execution) -> dict[str, Any]:
    """Parameters with their paths looked up."""

    def pairs() -> Iterator[tuple[str, Any]]:
        for name, value in template.items():
            if isinstance(value, dict):
                yield name, _filled(value, execution)
            elif name.endswith(".$"):
                yield name[:-2], _at(value, execution)
            else:
                yield name, value

    return dict(pairs())


def _matches(rule: dict[str, Any], error: str) -> bool:
    """States.TaskFailed is every error but a time-out."""
    named = rule["ErrorEquals"]
    return "States.ALL" in named or error in named or ("States.TaskFailed" in named and error != "States.Timeout")
