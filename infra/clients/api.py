"""The HTTP API as an honest client uses it: sign in, sign a DPoP proof where a device must show itself, and ask again with the
same Idempotency-Key until there is an answer.

Asked again: a lost connection, 429, 503, and 409 `operation_running`. Every other refusal is raised with its problem.
"""

import time
import uuid
from dataclasses import dataclass
from typing import Any, Self

import httpx

from infra.clients.phones import Phone
from infra.deploy.clouds import Cloud

TRIES = 8
# A cold function on a busy laptop can take several seconds to answer.
TIMEOUT = httpx.Timeout(30, connect=5)


class Refusal(Exception):
    """An answer of 400 or more, with its problem (RFC 9457)."""

    def __init__(self, call: str, status: int, problem: dict[str, Any]) -> None:
        super().__init__(f"{call}: {status} {problem.get('code', '')}: {problem.get('detail', '')}")
        self.status, self.problem = status, problem

    @property
    def code(self) -> str:
        """The stable code of the refusal."""
        return str(self.problem.get("code", ""))


@dataclass(frozen=True)
class Reply:
    """One answer as it came, whatever its status. `body` is None when it was not JSON."""

    status: int
    body: Any
    headers: httpx.Headers


def sign_in(stack: dict[str, Any], name: str) -> str:
    """A fresh ID token of one of the stack's users, for the Authorization header."""
    user = stack["users"][name]
    client = Cloud(stack["region"], stack["account"], stack["endpoint"]).client("cognito-idp")
    answer = client.initiate_auth(
        ClientId=stack[user["client"]],
        AuthFlow="USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": user["username"], "PASSWORD": user["password"]},
    )
    return str(answer["AuthenticationResult"]["IdToken"])


class Client:
    """One signed-in user's calls. With a phone, `proven=True` signs a call by the phone's key (RFC 9449)."""

    def __init__(self, address: str, token: str = "", phone: Phone | None = None, *, tries: int = TRIES) -> None:
        """`address` is what comes before `/v1`; without a token nobody is signed in."""
        self.address, self.token, self.phone, self._tries = address.rstrip("/"), token, phone, tries
        self._http = httpx.Client(timeout=TIMEOUT)

    def close(self) -> None:
        """Give the connections back."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def get(self, path: str, **query: Any) -> Any:
        return self._answer("GET", path, query=query)

    def put(self, path: str, body: Any) -> Any:
        return self._answer("PUT", path, body)

    def post(self, path: str, body: Any = None, *, key: str = "", proven: bool = False) -> Any:
        """The answer to a POST under this Idempotency-Key, or a fresh one."""
        return self._answer("POST", path, body, key=key or str(uuid.uuid4()), proven=proven)

    def delete(self, path: str, body: Any = None) -> Any:
        return self._answer("DELETE", path, body)

    def everything(self, path: str, **query: Any) -> list[Any]:
        """The items of all pages of a list."""
        items: list[Any] = []
        more: dict[str, Any] = {}
        while True:
            page = self.get(path, **query, **more)
            items += page["items"]
            if "next" not in page:
                return items
            # Events go on after an event; the other lists by a cursor.
            more = {"after" if path == "/v1/events" else "cursor": page["next"]}

    def _answer(self, method: str, path: str, body: Any = None, **options: Any) -> Any:
        reply = self.call(method, path, body, **options)
        if reply.status >= 400:
            raise Refusal(f"{method} {path}", reply.status, reply.body if isinstance(reply.body, dict) else {})
        return reply.body

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        query: dict[str, Any] | None = None,
        key: str = "",
        proven: bool = False,
    ) -> Reply:
        """The answer whatever its status; asks again while the API says so."""
        lost: httpx.TransportError | None = None
        for attempt in range(self._tries):
            try:
                reply = self._once(method, path, body, query, key, proven)
            except httpx.TransportError as error:
                lost, reply = error, None
            if reply is not None and not _ask_again(reply):
                return reply
            last = reply
            if attempt + 1 < self._tries:
                time.sleep(_seconds(last, attempt))
        if last is None:
            assert lost is not None
            raise lost
        return last

    def _once(self, method: str, path: str, body: Any, query: dict[str, Any] | None, key: str, proven: bool) -> Reply:
        address = self.address + path
        headers = {}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        if key:
            headers["Idempotency-Key"] = key
        if proven:
            assert self.phone is not None, "only a phone can sign a DPoP proof"
            headers["DPoP"] = self.phone.dpop(method, address)
        answer = self._http.request(method, address, params=query or None, headers=headers, json=body)
        kind = answer.headers.get("content-type", "")
        return Reply(answer.status_code, answer.json() if "json" in kind and answer.content else None, answer.headers)


def _ask_again(reply: Reply) -> bool:
    running = reply.status == 409 and isinstance(reply.body, dict) and reply.body.get("code") == "operation_running"
    return running or reply.status in (429, 503)


def _seconds(reply: Reply | None, attempt: int) -> float:
    """What Retry-After asks for, or 0.2 s doubling up to 3 s."""
    said = reply.headers.get("retry-after", "") if reply else ""
    return min(float(said), 10.0) if said.isdigit() else min(0.2 * 2**attempt, 3.0)
