"""What a call carries beside its body: each header and parameter once, none unknown, JSON, and GET also as HEAD (C13, C15, C16)."""

import json
import re
from typing import Any

import pytest

from billfold.triggers import calls, http
from infra.pages import contract
from infra.plan import steps
from tests.steps.town import CALLS, Town, everything
from tests.world import ROUTES, event

ALL = {f"{method} {path}": module for method, path, _, module in ROUTES}
POSTS = [route for route, module in ALL.items() if module.handler.key]
PATHS = contract.build(steps.known())["paths"]
CANARY = "4000001000000018"


def prepared(route: str, town: Town, **options: Any) -> tuple[Any, dict[str, Any]]:
    """The step, and the event of a call that would be answered."""
    person = town.people[CALLS[route].entitled]
    method, _, resource = route.partition(" ")
    parameters, body, _ = CALLS[route].arguments(town, person)
    return event(method, resource.format(**parameters), person, body, phone=person.phone if person else None, **options)


def sent(step: Any, proxied: dict[str, Any]) -> tuple[int, Any]:
    answer = step.handler(proxied, None)
    return answer["statusCode"], json.loads(answer["body"]) if answer["body"] else None


def with_header(proxied: dict[str, Any], name: str, *values: str) -> dict[str, Any]:
    """As the gateway hands a repeated header over: the last in one map, all in the other."""
    several = {known: [value] for known, value in proxied["headers"].items() if known.lower() != name.lower()}
    return proxied | {
        "headers": proxied["headers"] | {name: values[-1]},
        "multiValueHeaders": several | {name: list(values)},
    }


@pytest.mark.parametrize(
    "name", ["Authorization", "Idempotency-Key", "DPoP", "idempotency-key", "dpop", "Content-Type"]
)
@pytest.mark.parametrize("route", POSTS)
def test_a_header_that_is_read_may_come_once(store, village, route, name):
    """C13: whether its values differ or not, before anything is done; a header that nobody reads may come as often as it likes."""
    step, proxied = prepared(route, village)
    if name.lower() == "dpop" and not step.handler.dpop:
        pytest.skip("this call reads no proof")
    if name == "Content-Type" and not proxied["body"]:
        pytest.skip("this call has no body")
    before = everything(store)
    own = {known.lower(): value for known, value in proxied["headers"].items()}.get(name.lower(), "application/json")
    for values in ([own, own], [own, CANARY], [CANARY, own], [own, own.upper()]):
        clean = proxied | {"headers": {k: v for k, v in proxied["headers"].items() if k.lower() != name.lower()}}
        status, problem = sent(step, with_header(clean, name, *values))
        assert (status, problem["pointer"]) == (400, f"/{name.lower()}")
        assert CANARY not in json.dumps(problem)
    assert everything(store) == before


def test_two_spellings_of_one_header_are_two_of_it(village):
    """C13: names of headers know no case."""
    step, proxied = prepared("POST /v1/merchants", village)
    twice = proxied | {"multiValueHeaders": {"Idempotency-Key": ["a"], "idempotency-key": ["b"]}}
    assert sent(step, twice)[0] == 400


def test_a_header_that_nobody_reads_may_come_twice(village):
    """C13: proxies add some of their own."""
    step, proxied = prepared("POST /v1/merchants", village)
    assert sent(step, with_header(proxied, "X-Forwarded-For", "a", "b"))[0] == 201


# A bank's adapter is handed every header of its callback.
@pytest.mark.parametrize("route", sorted(ALL.keys() - {"POST /v1/banks/{bank}/callbacks"}))
def test_a_step_that_declares_no_proof_reads_none(town, route):
    """Issue 8 §2: the addresses that a proof is for are given to the functions of steps that declare it, and to no other."""
    step, proxied = prepared(route, town)
    status, _ = sent(step, with_header(proxied, "DPoP", CANARY, CANARY))
    assert (status == 400) == step.handler.dpop, (
        "say dpop=True in the step's decorator where it reads one, and nowhere else"
    )


@pytest.mark.parametrize("route", ALL)
def test_a_parameter_that_a_call_does_not_take_is_refused(store, village, route):
    """C15: a slip of the finger must not show another list than was asked for; nothing of it is said again (CB-18)."""
    step, proxied = prepared(route, village)
    before = everything(store)
    for name in (
        "curency",
        "Limit",
        "limits",
        CANARY,
        "",
        "__proto__",
        *({"limit", "cursor", "state"} - {parameter.name for parameter in step.handler.query}),
    ):
        status, problem = sent(step, proxied | {"queryStringParameters": {name: CANARY}})
        assert (status, problem["code"]) == (400, "invalid"), name
        assert problem["pointer"] in ("", f"/{name}")
        assert CANARY not in json.dumps(problem)
    assert everything(store) == before


TAKEN = [(route, parameter.name) for route, module in ALL.items() for parameter in module.handler.query]


@pytest.mark.parametrize(("route", "name"), TAKEN)
def test_a_parameter_may_come_once(village, route, name):
    """C15: which of two counts, two readers could see otherwise."""
    step, proxied = prepared(route, village)
    twice = {"queryStringParameters": {name: "2"}, "multiValueQueryStringParameters": {name: ["1", "2"]}}
    status, problem = sent(step, proxied | twice)
    assert (status, problem["pointer"]) == (400, f"/{name}")


@pytest.mark.parametrize(("route", "name"), TAKEN)
def test_a_parameter_that_is_taken_is_read(village, route, name):
    """C15: what is declared is looked at, so a value that nothing could mean is refused and not repeated."""
    step, proxied = prepared(route, village)
    status, problem = sent(step, proxied | {"queryStringParameters": {name: f"!{CANARY}"}})
    assert status in (400, 404)
    assert CANARY not in json.dumps(problem)


VALUES = [
    (route, parameter.name, value)
    for route, module in ALL.items()
    for parameter in module.handler.query
    for value in parameter.schema.get("enum", ())
]


@pytest.mark.parametrize(("route", "name", "value"), VALUES)
def test_every_value_that_the_contract_lists_can_be_asked_for(village, route, name, value):
    """Issue 8 §2: each state of each noun as a filter, too; what comes is of that state."""
    step, proxied = prepared(route, village)
    status, page = sent(step, proxied | {"queryStringParameters": {name: value}})
    assert status == 200
    assert name != "state" or {shown["state"] for shown in page["items"]} <= {value}


IN_PATHS = [(route, name) for route in ALL for name in re.findall(r"\{(\w+)\}", route)]


@pytest.mark.parametrize(("route", "name"), IN_PATHS)
def test_a_parameter_of_a_path_has_the_pattern_that_is_published(village, route, name, capsys):
    """Issue 8 §2, CB-18: an id, or what the step declares; another text is refused as declared, or not found, and not logged."""
    step, proxied = prepared(route, village)
    method, _, path = route.partition(" ")
    [published] = [one for one in PATHS[path][method.lower()]["parameters"] if one.get("name") == name]
    pattern = re.compile(published["schema"]["pattern"])
    assert pattern.search(proxied["pathParameters"][name])
    texts = [CANARY, f"crd_{CANARY}", "no.id!", "wordofletters", "bil_" + "0" * 32, "U" * 21, "bil_" + "0" * 32 + "x"]
    refused = [text for text in texts if not pattern.search(text)]
    has_reason = any(one.refusal for one in step.handler.path if one.name == name)
    expected = (400, "invalid") if has_reason else (404, "not_found")
    assert len(refused) >= 5
    capsys.readouterr()
    for text in refused:
        status, problem = sent(step, proxied | {"pathParameters": proxied["pathParameters"] | {name: text}})
        assert (status, problem["code"]) == expected
        assert text not in capsys.readouterr().out + json.dumps(problem)


def test_a_step_can_take_a_coupon_s_code_in_its_path():
    """Issue 8 §2: whoever declares a pattern needs no other place."""

    @http.step(open_to_all=True, path=(calls.matching("code", "[A-Z0-9]{16}"),))
    def show(request: http.Request[Any]) -> http.Answer:
        return http.Answer(200, request.parameters)

    for code, status in (("7QF3K2M9XW4TB8ZR", 200), ("7qf3k2m9xw4tb8zr", 404), ("bil_" + "0" * 32, 404)):
        proxied = {"resource": "/v1/coupons/{code}", "httpMethod": "GET", "pathParameters": {"code": code}}
        answer = show(proxied, None)
        assert answer["statusCode"] == status
        assert status == 404 or json.loads(answer["body"]) == {"code": code}


WITH_BODY = [route for route, module in ALL.items() if module.handler.body]
NO_JSON = [
    "text/plain",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "application/jsonp",
    "json",
]
NO_JSON += [
    "application/json; charset=utf-16",
    'application/json;charset="latin1"',
    f"text/{CANARY}",
    "application/xml, */*",
]


@pytest.mark.parametrize("route", WITH_BODY)
def test_a_body_of_another_media_type_is_a_415(store, village, route):
    """C16: as the contract says; nothing is done."""
    before = everything(store)
    for media_type in NO_JSON:
        step, proxied = prepared(route, village)
        status, problem = sent(step, with_header(proxied, "Content-Type", media_type))
        assert (status, problem["code"]) == (415, "media_type_unsupported"), media_type
        assert CANARY not in json.dumps(problem)
    assert everything(store) == before


JSON = [
    "application/json",
    "Application/JSON",
    'application/json; charset="UTF-8"',
    "application/json;charset=utf-8;x=y",
    "",
]


@pytest.mark.parametrize("media_type", [*JSON, None])
def test_json_is_taken_however_it_is_named(town, media_type):
    """C16: and a body without a media type is taken for JSON."""
    step, proxied = prepared("POST /v1/merchants", town)
    assert sent(step, proxied if media_type is None else with_header(proxied, "content-type", media_type))[0] == 201


def test_a_call_without_a_body_may_name_any_media_type(town):
    """C16: many clients always send one."""
    step, proxied = prepared("POST /v1/bills/{bill}/close", town)
    assert sent(step, with_header(proxied, "Content-Type", "text/plain"))[0] == 200


@pytest.mark.parametrize("route", [route for route in ALL if route.startswith("GET ")])
def test_head_is_get_without_its_body(village, route):
    """C16: the same status and headers."""
    step, proxied = prepared(route, village)
    got, head = step.handler(proxied, None), step.handler(proxied | {"httpMethod": "HEAD"}, None)
    assert head["body"] == ""
    assert (head["statusCode"], head["headers"]) == (got["statusCode"], got["headers"])


@pytest.mark.parametrize("route", POSTS)
def test_what_is_wrong_with_headers_is_said_without_them(village, route):
    """F14, CB-18: keys, proofs, tokens and conditions are nobody's to read again."""
    for name in ("Idempotency-Key", "DPoP", "Authorization", "If-Match", "Accept", "Content-Type"):
        step, proxied = prepared(route, village)
        for value in (f"{CANARY} x", f"\n{CANARY}", CANARY * 20):
            answer = step.handler(with_header(proxied, name, value), None)
            assert CANARY not in answer["body"]
