"""HTTP in and out: an API Gateway proxy event becomes a Request, what the step returns an answer, a refusal a problem.

    @http.step(body=OpenBill, key=True)
    def handler(request: http.Request[OpenBill]) -> http.Answer:
        # load … decide … commit … answer

The step is run again when its commit finds that what it had read has changed (`Stale`): it loads, looks for a repeat and
decides anew, so every refusal comes from a rule that saw the present. After five runs the caller hears Busy.
"""

import base64
import re
import time
import traceback
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

import msgspec

from billfold import clock, ids
from billfold.errors import (
    Forbidden,
    IdempotencyKeyMissing,
    IdempotencyKeyReused,
    Invalid,
    Refusal,
    Unauthenticated,
    Unavailable,
)
from billfold.triggers import bodies, calls, fingerprints, log
from billfold.triggers.again import until_fresh
from billfold.triggers.calls import Parameter

B = TypeVar("B")
_KEY = re.compile(r"[\x21-\x7e]{1,255}")


class Done(Protocol):
    """An operation's record: the fingerprint of its request, and what was answered."""

    request: Any
    status: Any
    body: Any


@dataclass(frozen=True, slots=True)
class Answer:
    """What a step answers: a status, a body to encode (None: no body) and headers beyond the usual."""

    status: int
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Request(Generic[B]):
    """One call. `address`: the caller's network address, as the gateway saw it. `api`: the id of the gateway's API. `fingerprint`:
    a hash of the body, another one for another body under the same Idempotency-Key (`fingerprints`)."""

    request_id: str
    caller: str
    groups: frozenset[str]
    method: str
    path: str
    parameters: dict[str, str]
    query: dict[str, str]
    headers: Mapping[str, str]
    body: B
    raw_body: str
    address: str
    now: int
    idempotency_key: str
    fingerprint: str
    api: str = ""

    def operation(self, prefix: str) -> str:
        """The id that this call and each repeat of it yield: the same caller, method, path and Idempotency-Key."""
        return ids.derived(prefix, self.caller, self.method, self.path, self.idempotency_key)

    def origin(self, **more: Any) -> dict[str, Any]:
        """What a change keeps of the request that made it, to know a repeat and to give it the first answer."""
        return {"operation": self.operation("opr"), "request": self.fingerprint, **more}

    def check_same(self, fingerprint: str) -> None:
        """IdempotencyKeyReused when the earlier request with this key had another body."""
        if fingerprint != self.fingerprint:
            raise IdempotencyKeyReused()

    def repeat(self, done: Done, apart: Iterable[str] = ("",)) -> "Answer":
        """The first answer of this operation, from its record; IdempotencyKeyReused when the record is of another body.

        apart: the suffixes that the record's fingerprint may have, each for a value of a field that `fingerprint` leaves out.
        """
        self.check_same(self.fingerprint if done.request in {self.fingerprint + one for one in apart} else done.request)
        if done.status < 400:
            return Answer(done.status, done.body)
        return _problem(done.status, done.body, self.request_id)

    def new_id(self, prefix: str) -> str:
        return ids.new(prefix, self.now)


Step = Callable[[Request[Any]], Answer]
Handler = Callable[[dict[str, Any], Any], dict[str, Any]]


def step(
    *,
    body: Any = None,
    answers: Any = None,
    key: bool = False,
    groups: frozenset[str] | None = None,
    open_to_all: bool = False,
    raw: bool = False,
    dpop: bool = False,
    path: tuple[Parameter, ...] = (),
    query: tuple[Parameter, ...] = (),
) -> Callable[[Step], Handler]:
    """Make a step a Lambda handler.

    body: the msgspec model of its body. answers: that of its success (`list[…]`: a page of them; None: no body), for the
    contract. key: whether it needs an Idempotency-Key. groups: which Cognito groups may call it (any of them). open_to_all:
    whether it answers without a signed-in caller. raw: the body is the step's own to read, from `raw_body`. dpop:
    whether the step verifies a DPoP proof (`triggers.dpop`), so that its function is given the stage's addresses. path: the
    parameters of its path that are no ids. query: those that it takes in the query.
    """

    def decorate(run: Step) -> Handler:
        def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
            started = time.perf_counter()
            request_id = str(
                (event.get("requestContext") or {}).get("requestId") or getattr(context, "aws_request_id", "")
            )
            line: dict[str, Any] = {"request_id": request_id}
            try:
                request = _request(event, request_id, bytes if raw else body, key, groups, open_to_all, path, query)
                line |= {"caller": request.caller, **request.parameters}
                answer = until_fresh(lambda: run(request))
            except Refusal as refusal:
                answer = _refused(refusal, request_id, line)
            except Exception as fault:
                answer = _crashed(fault, request_id, line)
            line["status"] = answer.status
            milliseconds = (time.perf_counter() - started) * 1000
            log.line("answered", log.name_of(run), milliseconds, line, failed=answer.status >= 500)
            return _answered(answer, request_id, body=event.get("httpMethod") != "HEAD")

        handler.__module__ = run.__module__
        handler.__doc__ = run.__doc__
        # The contract, the plan of what each function is given, and tests read these.
        handler.body, handler.answers, handler.key = body, answers, key  # type: ignore[attr-defined]
        handler.dpop, handler.path, handler.query = dpop, path, query  # type: ignore[attr-defined]
        return handler

    return decorate


def _request(
    event: dict[str, Any],
    request_id: str,
    model: Any,
    key: bool,
    groups: frozenset[str] | None,
    open_to_all: bool,
    path: tuple[Parameter, ...],
    query: tuple[Parameter, ...],
) -> Request[Any]:
    claims = ((event.get("requestContext") or {}).get("authorizer") or {}).get("claims") or {}
    caller = f"usr_{claims['sub'].replace('-', '')}" if claims.get("sub") else ""
    member_of = frozenset(re.findall(r"[^\s,\[\]]+", str(claims.get("cognito:groups") or "")))
    if not caller and not open_to_all:
        raise Unauthenticated()
    if groups is not None and not groups & member_of:
        raise Forbidden()
    headers = calls.Headers(event)
    # The gateway has verified one Authorization header: a second one is refused, because the step could read that one.
    headers.get("authorization")
    parameters = calls.path(event, path)
    method = _method(event)
    address = re.sub(r"\{(\w+)\+?\}", lambda match: parameters[match[1]], event["resource"])
    idempotency_key = headers.get("idempotency-key", "")
    if key and not _KEY.fullmatch(idempotency_key):
        raise IdempotencyKeyMissing("the Idempotency-Key header is missing or not 1 to 255 visible ASCII characters")
    text = _text(event, readable=model is not bytes)
    if model is not bytes and text.strip():
        calls.check_json(headers)
    value, typed = _body(text, model)
    return Request(
        request_id,
        caller,
        member_of,
        method,
        address,
        parameters,
        calls.query(event, query),
        headers,
        typed,
        text,
        str(((event.get("requestContext") or {}).get("identity") or {}).get("sourceIp") or ""),
        clock.now(),
        idempotency_key,
        fingerprints.of(idempotency_key, value, model) if key else "",
        str((event.get("requestContext") or {}).get("apiId") or ""),
    )


def _method(event: dict[str, Any]) -> str:
    """HEAD is GET, answered without the body (RFC 9110)."""
    return "GET" if event["httpMethod"] == "HEAD" else str(event["httpMethod"])


def _text(event: dict[str, Any], *, readable: bool) -> str:
    """The body; one that is no text is refused, unless the step itself judges it (`readable` is false): then as it came."""
    text = str(event.get("body") or "")
    if event.get("isBase64Encoded"):
        try:
            return base64.b64decode(text, validate=True).decode()
        except ValueError:
            if readable:
                raise Invalid("the body is not UTF-8 text") from None
    return text


def _body(text: str, model: Any) -> tuple[Any, Any]:
    if model is bytes:
        return None, None
    if model is None:
        if text.strip() not in ("", "{}"):
            raise Invalid("this call takes no body")
        return None, None
    value = bodies.parse(text)
    return value, bodies.convert(value, model)


def _refused(refusal: Refusal, request_id: str, line: dict[str, Any]) -> Answer:
    line["code"] = refusal.code()
    if refusal.about:
        line["about"] = refusal.about
    if isinstance(refusal, Unavailable):
        line["cause"] = _cause(refusal)
    return problem(refusal, request_id)


def _cause(fault: BaseException | None) -> str:
    """What AWS called the fault behind an Unavailable, or its type: never a message, which may carry what a customer sent."""
    name = ""
    while fault is not None:
        response = getattr(fault, "response", None)
        if isinstance(response, dict):
            return str(response.get("Error", {}).get("Code", name))
        name, fault = type(fault).__name__, fault.__cause__
    return name


def problem(refusal: Refusal, request_id: str) -> Answer:
    """A refusal as an RFC 9457 answer."""
    return _problem(refusal.status, refusal.problem(), request_id)


def _problem(status: int, members: dict[str, Any], request_id: str) -> Answer:
    headers = {"Content-Type": "application/problem+json"}
    if "retry_after_seconds" in members:
        headers["Retry-After"] = str(members["retry_after_seconds"])
    return Answer(status, members | {"instance": f"urn:billfold:request:{request_id}"}, headers)


def _crashed(fault: Exception, request_id: str, line: dict[str, Any]) -> Answer:
    """A bug. The log gets its type and place but never its text, which may carry what a customer sent."""
    frames = traceback.extract_tb(fault.__traceback__)[-3:]
    line |= {"fault": type(fault).__name__, "at": [f"{frame.name}:{frame.lineno}" for frame in frames]}
    body = {
        "type": "urn:billfold:problem:internal_fault",
        "title": "Internal fault",
        "status": 500,
        "detail": "Something went wrong on our side. Nothing was charged twice.",
        "code": "internal_fault",
        "operations": "A bug: find the log line with this request id.",
        "next": "retry_with_the_same_key",
    }
    return _problem(500, body, request_id)


def _answered(answer: Answer, request_id: str, *, body: bool) -> dict[str, Any]:
    headers = {
        "Content-Type": "application/json",
        "Cache-Control": "no-store",
        "Request-Id": request_id,
        **answer.headers,
    }
    text = "" if answer.body is None or not body else msgspec.json.encode(answer.body).decode()
    return {"statusCode": answer.status, "headers": headers, "body": text, "isBase64Encoded": False}
