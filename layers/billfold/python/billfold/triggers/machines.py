"""State machines, started and resumed. Both are safe to repeat: an execution has its thing's id for a name, a token works once."""

import os
from typing import Any

import boto3
import msgspec
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from billfold.errors import Unavailable

# Nobody waits with this token any more: it was used, or its time was over.
SPENT = ("TaskTimedOut", "TaskDoesNotExist", "InvalidToken")
_client: Any = None


def start(machine: str, name: str, given: dict[str, str]) -> bool:
    """Start the one execution of this name; False when it was started before."""
    arn = os.environ[f"BILLFOLD_MACHINE_{machine.upper()}"]
    text = msgspec.json.encode(given).decode()
    return _call("start_execution", ("ExecutionAlreadyExists",), stateMachineArn=arn, name=name, input=text)


def resume(token: str, output: dict[str, str]) -> bool:
    """Let the execution that waits with this token go on; False when none does."""
    return _call("send_task_success", SPENT, taskToken=token, output=msgspec.json.encode(output).decode())


def _call(operation: str, done: tuple[str, ...], **arguments: Any) -> bool:
    global _client
    if _client is None:
        config = Config(connect_timeout=1, read_timeout=3, retries={"total_max_attempts": 3, "mode": "standard"})
        _client = boto3.client("stepfunctions", config=config)
    try:
        getattr(_client, operation)(**arguments)
    except ClientError as error:
        if error.response["Error"]["Code"] in done:
            return False
        raise Unavailable() from error
    except BotoCoreError as error:
        raise Unavailable() from error
    return True
