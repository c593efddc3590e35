"""What can happen to one AWS call: the process dies around it, AWS refuses it, or its answer is lost."""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ConnectTimeoutError, EndpointConnectionError, ReadTimeoutError

from tests.proof.wire import ALWAYS, Fault

Send = Callable[[], dict[str, Any]]


class Crash(BaseException):
    """The process is gone: no `except Exception` sees it."""


def crash_before(client: Any, action: str, arguments: dict[str, Any], send: Send) -> dict[str, Any]:
    raise Crash


def crash_after(client: Any, action: str, arguments: dict[str, Any], send: Send) -> dict[str, Any]:
    # An answer that is an error, or none at all, is followed by the crash just so.
    with contextlib.suppress(Exception):
        send()
    raise Crash


def error(code: str, status: int = 400) -> Fault:
    """AWS refuses with this code, as botocore raises it."""

    def raised(client: Any, action: str, arguments: dict[str, Any], send: Send) -> dict[str, Any]:
        parsed = {"Error": {"Code": code, "Message": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
        raise client.exceptions.from_code(code)(parsed, action)

    return raised


def cancelled(reason: str, *, last: bool = True) -> Fault:
    """A transaction is cancelled for one of its items, the last or the first; the others have no reason of their own."""

    def raised(client: Any, action: str, arguments: dict[str, Any], send: Send) -> dict[str, Any]:
        code = "TransactionCanceledException"
        reasons = [{"Code": "None"} for _ in arguments["TransactItems"]]
        reasons[-1 if last else 0] = {"Code": reason, "Message": reason}
        text = f"Transaction cancelled, reasons [{', '.join(one['Code'] for one in reasons)}]"
        parsed = {"Error": {"Code": code, "Message": text}, "CancellationReasons": reasons}
        raise client.exceptions.from_code(code)(parsed, action)

    return raised


def refused_connection(client: Any, action: str, arguments: dict[str, Any], send: Send) -> dict[str, Any]:
    raise EndpointConnectionError(endpoint_url=client.meta.endpoint_url)


def silent_connection(client: Any, action: str, arguments: dict[str, Any], send: Send) -> dict[str, Any]:
    raise ConnectTimeoutError(endpoint_url=client.meta.endpoint_url)


def lost_request(client: Any, action: str, arguments: dict[str, Any], send: Send) -> dict[str, Any]:
    raise ReadTimeoutError(endpoint_url=client.meta.endpoint_url)


def lost_answer(client: Any, action: str, arguments: dict[str, Any], send: Send) -> dict[str, Any]:
    """The effect happens; what the step hears is a time-out."""
    send()
    raise ReadTimeoutError(endpoint_url=client.meta.endpoint_url)


def left_over(client: Any, action: str, arguments: dict[str, Any], send: Send) -> dict[str, Any]:
    """A batch answers 200, and has done nothing of what was asked (DynamoDB and SQS both may)."""
    if action == "BatchGetItem":
        return {"Responses": {}, "UnprocessedKeys": arguments["RequestItems"]}
    if action == "BatchWriteItem":
        return {"UnprocessedItems": arguments["RequestItems"]}
    failed = [{"Id": entry["Id"], "Code": "InternalError", "SenderFault": False} for entry in arguments["Entries"]]
    return {"Failed": failed}


@dataclass(frozen=True)
class Trouble:
    """A fault as one line of the matrix. `actions`: those that can meet it (empty: all); `times`: calls in a row;
    `telling`: the one of its kind that every scenario meets, while a step's first scenario meets all."""

    name: str
    fault: Fault
    actions: tuple[str, ...] = ()
    times: int = 1
    telling: bool = False

    def befalls(self, action: str) -> bool:
        return not self.actions or action in self.actions


TRANSACTION = ("TransactWriteItems",)
BATCHES = ("BatchGetItem", "BatchWriteItem", "SendMessageBatch")

TROUBLES = (
    Trouble("throughput exceeded", error("ProvisionedThroughputExceededException")),
    Trouble("throttled", error("ThrottlingException"), telling=True),
    Trouble("request limit", error("RequestLimitExceeded")),
    Trouble("internal error", error("InternalServerError", 500)),
    Trouble("service unavailable", error("ServiceUnavailable", 503)),
    Trouble("access denied", error("AccessDeniedException"), telling=True),
    Trouble("connection refused", refused_connection),
    Trouble("connection silent", silent_connection),
    Trouble("request lost", lost_request),
    Trouble("answer lost", lost_answer, telling=True),
    Trouble("conflict exception", error("TransactionConflictException")),
    Trouble("conflict on the first item", cancelled("TransactionConflict", last=False), TRANSACTION, telling=True),
    Trouble("conflict on the last item", cancelled("TransactionConflict"), TRANSACTION),
    Trouble("conflicts for ever", cancelled("TransactionConflict"), TRANSACTION, ALWAYS),
    Trouble("cancelled by a throttle", cancelled("ThrottlingError"), TRANSACTION, telling=True),
    Trouble("cancelled by throughput", cancelled("ProvisionedThroughputExceeded"), TRANSACTION),
    Trouble("transaction in progress", error("TransactionInProgressException"), TRANSACTION),
    Trouble("left over once", left_over, BATCHES, telling=True),
    Trouble("left over for ever", left_over, BATCHES, ALWAYS),
)
