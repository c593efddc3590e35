"""Transactions: a `Commit` is one TransactWriteItems, the one way in which steps write.

A failed condition means that what the decision assumed is no longer so, which `Stale` says; the trigger then runs the step
again, which loads, looks for a repeat and decides anew. Conflicts with other transactions are retried here, because neither
boto3 nor PynamoDB does.
"""

from collections.abc import Callable, Sequence
from typing import Any

from botocore.exceptions import ClientError
from pynamodb.exceptions import TransactWriteError
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from billfold import clock, ids
from billfold.errors import Busy, OperationRunning, Stale, Unavailable
from billfold.tables.rows import CONFLICT_TRIES, Key, Row, connection

Request = dict[str, Any]


class Commit:
    """One TransactWriteItems, sent at the end of its block: `with Commit(operation) as commit:`.

    Its writes are made anew for each try, so that a busy account can take another lane.

    Raises Stale when a condition fails, OperationRunning when a twin holds this operation's own record, Busy when other
    transactions keep winning, Unavailable when DynamoDB does.
    """

    def __init__(self, token: str) -> None:
        """`token` makes a retried send one transaction for ten minutes; the conditions guard for ever."""
        self._token = token
        # In the order in which PynamoDB sends them, which is the order of the reasons when one is cancelled.
        self._checks: list[Callable[[], Request]] = []
        self._deletes: list[Callable[[], Request]] = []
        self._puts: list[Callable[[], Request]] = []
        self._updates: list[Callable[[], Request]] = []
        self._records: set[int] = set()

    def record(self, row: Row) -> None:
        """Put the row that proves that this operation was done; it must not exist."""
        self._records.add(len(self._puts))
        self.put_new(row)

    def put_new(self, row: Row) -> None:
        """Put a row that must not exist."""
        model = type(row)
        self._puts.append(lambda: row.get_save_kwargs_from_instance(condition=model.pk.does_not_exist()))

    def put(self, row: Row, condition: Condition | None = None) -> None:
        self._puts.append(lambda: row.get_save_kwargs_from_instance(condition=condition))

    def update(self, row: Row, actions: Sequence[Action], condition: Condition | None = None) -> None:
        self._updates.append(lambda: row.get_update_kwargs_from_instance(actions=list(actions), condition=condition))

    def update_each_try(self, make: Callable[[], Request]) -> None:
        """An update whose row is chosen anew for each try."""
        self._updates.append(make)

    def check(self, key: Key, condition: Condition) -> None:
        """A row that is not written must be as it was read."""
        model, pk, sk = key
        self._checks.append(lambda: model.get_operation_kwargs_from_class(pk, range_key=sk, condition=condition))

    def delete(self, key: Key, condition: Condition | None = None) -> None:
        model, pk, sk = key
        self._deletes.append(lambda: model.get_operation_kwargs_from_class(pk, range_key=sk, condition=condition))

    def __enter__(self) -> "Commit":
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Sent once the block has added all its writes; a block that raises has sent nothing."""
        if kind is None:
            self.send()

    def send(self) -> None:
        """What the end of a `with` block does: steps never call it, so none can forget to."""
        conflicts: set[int] = set()
        for attempt in range(CONFLICT_TRIES):
            if attempt:
                clock.back_off(attempt)
            try:
                self._send(attempt)
                return
            except TransactWriteError as error:
                conflicts = self._conflicts(error)
        first_put = len(self._checks) + len(self._deletes)
        raise OperationRunning() if {index - first_put for index in conflicts} & self._records else Busy()

    def _send(self, attempt: int) -> None:
        writes: dict[str, Any] = {
            "condition_check_items": [make() for make in self._checks],
            "delete_items": [make() for make in self._deletes],
            "put_items": [make() for make in self._puts],
            "update_items": [make() for make in self._updates],
        }
        # A token stands for exactly these writes: run again with others, or in other lanes, it is another request.
        token = ids.derived("tok", self._token, str(attempt), repr(writes))
        connection().transact_write_items(**writes, client_request_token=token)

    def _conflicts(self, error: TransactWriteError) -> set[int]:
        """Which writes met another transaction, when that alone is why this one was cancelled; otherwise raises."""
        if not isinstance(error.cause, ClientError):
            raise Unavailable() from error  # no answer: botocore's error has no code to look at
        if error.cause_response_code == "TransactionConflictException":
            return set()
        if error.cause_response_code == "ValidationException":
            raise error
        if error.cause_response_code != "TransactionCanceledException":
            raise Unavailable() from error
        codes = {index: reason.code for index, reason in enumerate(error.cancellation_reasons) if reason is not None}
        if "ConditionalCheckFailed" in codes.values():
            raise Stale() from error
        if "ValidationError" in codes.values() or "ItemCollectionSizeLimitExceeded" in codes.values():
            raise error
        if set(codes.values()) - {"TransactionConflict"}:
            raise Unavailable() from error
        return set(codes)
