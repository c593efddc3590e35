"""State machines, started and resumed. Both are safe to repeat: an execution has its thing's id for a name, a token works once."""

import os
from typing import Any

import msgspec
from botocore.exceptions import BotoCoreError, ClientError

from billfold import aws
from billfold.errors import Unavailable

# Nobody waits with this token any more: it was used, or its time was over.
SPENT = ("TaskTimedOut", "TaskDoesNotExist", "InvalidToken")


def start(machine: str, name: str, given: dict[str, str]) -> bool:
    """Start the one execution of this name; False when it was started before."""
    arn = os.environ[f"BILLFOLD_MACHINE_{machine.upper()}"]
    text = msgspec.json.encode(given).decode()
    return _call("start_execution", ("ExecutionAlreadyExists",), stateMachineArn=arn, name=name, input=text)


def resume(token: str, output: dict[str, str]) -> bool:
    """Let the execution that waits with this token go on; False when none does."""
    return _call("send_task_success", SPENT, taskToken=token, output=msgspec.json.encode(output).decode())


def _call(action: str, done: tuple[str, ...], **arguments: Any) -> bool:
    try:
        getattr(aws.client("stepfunctions"), action)(**arguments)
    except ClientError as error:
        if error.response["Error"]["Code"] in done:
            return False
        raise Unavailable() from error
    except BotoCoreError as error:
        raise Unavailable() from error
    return True
