"""A small world for tests: people with phones, sellers with terminals, and a gateway that calls the real steps in process.

The gateway routes as API Gateway would, from the map in `app.py`, and hands each step an event of the same shape. The
DynamoDB behind is a real engine; `deliver` carries its streams through the forwarding steps and on to the followers, as
often and in whatever order a test asks for.
"""

import json
import re
import time
import uuid
from dataclasses import dataclass, field
from typing import Any, get_args

import app as billfold_map
from billfold import clock, ledger
from billfold.events import OutboxKind
from billfold.ledger import ledger_rows
from billfold.tables.commits import Commit
from billfold.tables.rows import fetch
from infra.clients.phones import Phone, Till
from infra.operations import suspensions

PIN = "739164"
STEPS: dict[str, Any] = {
    billfold_map.name_of(module): module
    for module in vars(billfold_map).values()
    if getattr(module, "__name__", "").startswith("functions.")
}
ROUTES = [
    (method, path, re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path)), STEPS[entry.view_name])
    for path, entries in billfold_map.app.routes.items()
    for method, entry in entries.items()
]


@dataclass
class Response:
    status: int
    body: Any
    headers: dict[str, str]

    @property
    def code(self) -> str:
        """A refusal's code; an empty text for a success."""
        return self.body.get("code", "") if isinstance(self.body, dict) and self.status >= 400 else ""


@dataclass
class Person:
    """Someone signed in, with a phone. `sub` is the identity provider's name for them."""

    sub: str = field(default_factory=lambda: str(uuid.uuid4()))
    groups: tuple[str, ...] = ()
    phone: Phone = field(default_factory=Phone)

    @property
    def user_id(self) -> str:
        return "usr_" + self.sub.replace("-", "")


@dataclass
class Seller:
    merchant: str
    admin: Person
    tills: list[Till]


def _route(method: str, path: str) -> tuple[str, Any, dict[str, str]]:
    """The resource, step and path parameters of a call; of two that fit, the one without parameters, as the gateway does."""
    for route_method, resource, pattern, module in sorted(ROUTES, key=lambda route: "{" in route[1]):
        match = pattern.fullmatch(path)
        if match and route_method == method:
            return resource, module, match.groupdict()
    raise LookupError(f"no route for {method} {path}")


def event(
    method: str,
    path: str,
    person: Person | None = None,
    body: Any = None,
    *,
    key: str | None = None,
    phone: Phone | None = None,
    raw: str | None = None,
    query: dict[str, str] | None = None,
    headers: dict[str, str] | None = None,
    address: str = "",
) -> tuple[Any, dict[str, Any]]:
    """The step that answers a call, and the proxy event that API Gateway would hand it."""
    resource, module, parameters = _route(method, path)
    sent = {"Authorization": "Bearer token", **(headers or {})}
    if method == "POST" and key != "":
        sent["Idempotency-Key"] = key or str(uuid.uuid4())
    if phone:
        sent["DPoP"] = phone.dpop(method, f"https://api.example{path}", iat=int(time.time()))
    # Everybody calls from a network of their own, as limits count it (a /64), unless a test says otherwise.
    address = address or f"2001:db8:{person.sub[:4] if person else 0}::1"
    authorizer = {}
    if person:
        claims = {"sub": person.sub}
        if person.groups:
            claims["cognito:groups"] = ",".join(person.groups)
        authorizer = {"authorizer": {"claims": claims}}
    return module, {
        "resource": resource,
        "path": path,
        "httpMethod": method,
        "headers": sent,
        "queryStringParameters": query,
        "pathParameters": parameters or None,
        "requestContext": {"requestId": str(uuid.uuid4()), "identity": {"sourceIp": address}, **authorizer},
        "body": raw if raw is not None else (None if body is None else json.dumps(body)),
        "isBase64Encoded": False,
    }


def call(method: str, path: str, person: Person | None = None, body: Any = None, **options: Any) -> Response:
    """Call a step over the in-process gateway. A POST gets a fresh Idempotency-Key unless `key` names one ("" sends none)."""
    module, proxied = event(method, path, person, body, **options)
    answer = module.handler(proxied, None)
    text = answer["body"]
    return Response(answer["statusCode"], json.loads(text) if text else None, answer["headers"])


def joined(person: Person | None = None, *, pin: str | None = PIN) -> Person:
    """A person with a registered phone and a payment PIN."""
    person = person or Person()
    answer = call("POST", "/v1/devices", person, {"name": "phone", "jwk": person.phone.jwk})
    assert answer.status == 201, answer
    if pin:
        answer = call("PUT", "/v1/pin", person, {"pin": pin})
        assert answer.status == 204, answer
    return person


def fund(person: Person, amount: int, currency: str = "USD") -> None:
    """Money from outside into a wallet, by a real transfer."""
    transfer_id = "trf_" + uuid.uuid4().hex
    legs = ledger.pay(ledger.funding(currency), [(ledger.wallet(person.user_id, currency), amount)])
    commit = Commit(transfer_id)
    ledger_rows.add_transfer(commit, ledger.transfer(transfer_id, legs, at=clock.now(), kind="top_up", reason="top-up"))
    commit.send()


def seller(name: str = "Corner shop", terminals: int = 2) -> Seller:
    """A merchant with its administrator and registered terminals."""
    admin = joined(Person(groups=("merchant_admins",)))
    merchant = call("POST", "/v1/merchants", admin, {"name": name}).body["id"]
    tills = []
    for _ in range(terminals):
        till = Till()
        till.terminal_id = call(
            "POST", "/v1/terminals", admin, {"merchant": merchant, "public_key": till.public_key}
        ).body["id"]
        tills.append(till)
    return Seller(merchant, admin, tills)


def opened(person: Person, currency: str = "USD", **fields: Any) -> str:
    """The id of a bill opened on the person's phone."""
    body = {"device": person.phone.device_id, "currency": currency} | fields
    answer = call("POST", "/v1/bills", person, body)
    assert answer.status == 201, answer
    return str(answer.body["id"])


def tap(person: Person, bill: str, items: list[Any], **options: Any) -> Response:
    """Deliver signed items from the person's phone."""
    return call("POST", f"/v1/bills/{bill}/items", person, {"items": items}, phone=person.phone, **options)


def close(person: Person, bill: str, **options: Any) -> Response:
    return call("POST", f"/v1/bills/{bill}/close", person, phone=person.phone, **options)


def verify(person: Person, bill: str, list_hash: str, pin: str = PIN, **options: Any) -> Response:
    body = {"list_hash": list_hash, "pin": pin}
    return call("POST", f"/v1/bills/{bill}/verification", person, body, phone=person.phone, **options)


def shown(person: Person, bill: str) -> Any:
    """A bill as this person sees it."""
    answer = call("GET", f"/v1/bills/{bill}", person)
    assert answer.status == 200, answer
    return answer.body


def to_verify(person: Person, *items: tuple[Till, int], **fields: Any) -> Any:
    """A closed bill of one-line items of (till, amount), as it waits for its verification."""
    bill = opened(person, **fields)
    signed = [till.item(bill, [("thing", 1, amount)], fields.get("currency", "USD")) for till, amount in items]
    assert {result["outcome"] for result in tap(person, bill, signed).body["results"]} == {"added"}
    answer = close(person, bill)
    assert answer.status == 200, answer
    return answer.body


def settled(person: Person, *items: tuple[Till, int], **fields: Any) -> Any:
    """A bill of one-line items of (till, amount), paid."""
    bill = to_verify(person, *items, **fields)
    answer = verify(person, bill["id"], bill["verification"]["list_hash"])
    assert answer.status == 200, answer
    return answer.body


def refund(admin: Person, bill: str, items: list[str], **options: Any) -> Response:
    return call("POST", f"/v1/bills/{bill}/refunds", admin, {"items": items, "reason": "broken"}, **options)


def drain_sales(shop: Seller, currency: str = "USD") -> None:
    """Pay a merchant out: all that it took leaves for the world outside."""
    takings, transfer_id = sales(shop, currency), "trf_" + uuid.uuid4().hex
    legs = ledger.pay(ledger.sales(shop.merchant, currency), [(ledger.funding(currency), takings)])
    commit = Commit(transfer_id)
    ledger_rows.add_transfer(
        commit, ledger.transfer(transfer_id, legs, at=clock.now(), kind="pay_out", reason="pay-out")
    )
    commit.send()


def posted(name: str) -> int:
    """An account's posted balance, read from the engine."""
    return fetch(ledger_rows.balance(ledger.account(name))).posted


def wallet(person: Person, currency: str = "USD") -> int:
    return posted(f"wallet/{person.user_id}/{currency}")


def sales(shop: Seller, currency: str = "USD") -> int:
    return posted(f"sales/{shop.merchant}/{currency}")


def suspend(person: Person) -> None:
    """What operations do to a user."""
    assert suspensions.decide("suspend", person.user_id)


def resume(person: Person) -> None:
    assert suspensions.decide("resume", person.user_id)


def told(person: Person, **query: str) -> list[Any]:
    """The events of a page of a feed but for those of the outbox: everybody here has a phone and a PIN, and heard of them."""
    events = call("GET", "/v1/events", person, query=query or None).body["items"]
    return [event for event in events if event["type"] not in get_args(OutboxKind)]
