"""What the gateway answers by itself, and what flows behind it."""

from typing import Any

import pytest

from infra.clients.api import Client
from infra.plan.steps import load
from infra.plan.triggers import Route

ROUTES = [step.trigger for step in load() if isinstance(step.trigger, Route)]


@pytest.fixture
def anyone(stack: dict[str, Any]) -> Any:
    """Calls without a token, asked once."""
    with Client(stack["api"], tries=1) as client:
        yield client


@pytest.mark.parametrize("route", [route for route in ROUTES if route.signed_in], ids=str)
def test_a_call_without_a_token_is_a_401_problem(anyone: Client, route: Route) -> None:
    """XX-02: the gateway refuses before any step runs, in the shape that steps refuse in."""
    path = route.path.replace("{", "").replace("}", "")
    reply = anyone.call(route.method, path, {} if route.method in ("POST", "PUT") else None)
    assert (reply.status, reply.body["code"]) == (401, "unauthenticated")
    assert reply.headers["content-type"].startswith("application/problem+json")


def test_a_forged_token_is_a_401_problem(stack: dict[str, Any]) -> None:
    """A token that the user pool did not sign opens nothing."""
    with Client(stack["api"], "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbGljZSJ9.", tries=1) as forger:
        reply = forger.call("GET", "/v1/wallets")
    assert (reply.status, reply.body["code"]) == (401, "unauthenticated")


@pytest.mark.parametrize("path", ["/v1/nowhere", "/v1/bills/bil_1/nowhere", "/v2/bills"])
def test_an_unknown_address_is_a_problem(anyone: Client, path: str) -> None:
    """XX-02 for what no step answers."""
    reply = anyone.call("GET", path)
    assert (reply.status, reply.body["code"]) == (404, "not_found")
    assert reply.headers["content-type"].startswith("application/problem+json")


@pytest.mark.parametrize(("method", "path"), [("PATCH", "/v1/bills"), ("DELETE", "/v1/pin"), ("POST", "/v1/health")])
def test_a_method_that_an_address_has_not_is_a_405_problem(anyone: Client, method: str, path: str) -> None:
    """C16: with those that it has in `Allow`."""
    reply = anyone.call(method, path)
    assert (reply.status, reply.body["code"]) == (405, "method_not_allowed")
    allowed = {route.method for route in ROUTES if route.path == path}
    assert set(reply.headers["allow"].split(", ")) == allowed | ({"HEAD"} if "GET" in allowed else set())


def test_head_is_answered_where_get_is(anyone: Client) -> None:
    """C16: the status and headers of GET, without its body."""
    reply = anyone.call("HEAD", "/v1/health")
    assert (reply.status, reply.body) == (200, None)
    assert reply.headers["request-id"]


def test_health_answers_without_a_token(anyone: Client) -> None:
    """The one call that `make up` and monitors make."""
    assert anyone.get("/v1/health") == {"status": "ok"}
