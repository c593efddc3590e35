"""The contract says what the code does: made anew it is the same, its routes are the map's, and the guide's examples are true."""

import base64
import json
import re
import subprocess
import sys

import pytest
from openapi_spec_validator import validate

from billfold.bills import taps
from billfold.merchants import Terminal
from infra.clients.phones import Till
from infra.pages import contract
from infra.plan import steps
from infra.plan.stages import ROOT
from tests.world import ROUTES, STEPS

CONTRACT = contract.build(steps.known())
CALLS = {
    (method.upper(), path): described
    for path, methods in CONTRACT["paths"].items()
    for method, described in methods.items()
}
GUIDE = contract.GUIDE.read_text()


def test_it_is_valid_openapi():
    """OpenAPI 3.1, by an independent validator."""
    assert CONTRACT["openapi"] == "3.1.0"
    validate(CONTRACT)


def test_it_is_the_same_whatever_else_was_imported():
    """Issue 8 §2: refusals and events are found in their packages; 36 or 47 were known, by what happened to be imported."""
    one_import = "import sys; from infra.pages import contract; sys.stdout.write(contract.text())"
    alone = subprocess.run([sys.executable, "-c", one_import], cwd=ROOT, capture_output=True, text=True, check=True)
    assert alone.stdout == contract.text()


def test_its_routes_are_exactly_the_maps():
    """Each with its step's name."""
    routes = {(method, path): module.__name__.rpartition(".")[2] for method, path, _, module in ROUTES}
    assert {route: described["operationId"] for route, described in CALLS.items()} == routes


@pytest.mark.parametrize(("method", "path"), CALLS)
def test_a_call_tells_what_it_needs(method, path):
    """Token, proof of the device, Idempotency-Key, body and path parameters, as the step asks for them."""
    described = CALLS[method, path]
    handler = STEPS[described["operationId"]].handler
    parameters = [one.get("name") or one["$ref"].rpartition("/")[2] for one in described["parameters"]]
    by_a_bank = path == "/v1/banks/{bank}/callbacks"
    assert ("Idempotency-Key" in parameters) == handler.key == (method == "POST" and not by_a_bank)
    assert ("requestBody" in described) == (handler.body is not None)
    in_path = set(re.findall(r"\{(\w+)\}", path))
    assert in_path <= set(parameters)
    assert {one.name for one in handler.path} <= in_path, (
        "@http.step(path=…) names a parameter that app.py's path has not"
    )
    open_to_all = by_a_bank or path in ("/v1/health", "/v1/openapi.json")
    assert described["security"] == [] if open_to_all else "token" in described["security"][0]
    bill = "/v1/bills/{bill}"
    page = "/v1/cards/{card}/challenge/page"
    by_device = path in (f"{bill}/items", f"{bill}/close", f"{bill}/verification", page) or (method, path) == (
        "POST",
        "/v1/cards",
    )
    assert any("device" in one for one in described["security"]) == by_device
    successes = {status for status in described["responses"] if status < "3"}
    assert successes
    assert all(("content" in described["responses"][one]) == (one != "204") for one in successes)


def test_every_code_of_a_refusal_is_in_the_contract():
    """XX-02: clients may depend on them."""
    codes = set(CONTRACT["components"]["schemas"]["Problem"]["properties"]["code"]["enum"])
    assert {"not_found", "pin_wrong", "busy", "invalid", "internal_fault", "too_many_requests"} <= codes
    assert codes >= {known.code() for known in contract.refusals()}


def block(kind: str) -> str:
    found = re.search(rf"```{kind}\n(.*?)\n```", GUIDE, re.DOTALL)
    assert found
    return found[1]


def test_the_guides_signed_item_verifies_and_can_be_made_anew():
    """VB-06: whoever builds a terminal can check their own code against it."""
    item = json.loads(block("item"))
    keys = dict(re.findall(r"^(private|public) key +(\S+)$", GUIDE, re.MULTILINE))
    taps.check_signature(item, Terminal(item["terminal"], "mer_x", "till", keys["public"]))
    till = Till(item["terminal"], keys["private"])
    assert till.public_key == keys["public"]
    assert till.signed(item) == item
    assert base64.b64decode(keys["private"]) == bytes(range(32))
    unsigned = {name: part for name, part in item.items() if name != "signature"}
    line, _, canonical = block("signed").partition("\n")
    assert (line, json.loads(canonical)) == ("billfold-item-v1", unsigned)
    assert canonical == json.dumps(unsigned, sort_keys=True, separators=(",", ":"))


def test_the_guide_names_every_kind_of_event():
    """XX-03: and none that does not exist."""
    section = GUIDE.partition("## Events")[2].partition("## Refusals")[0]
    told = set(CONTRACT["components"]["schemas"]["EventKind"]["enum"])
    named = set(re.findall(r"`((?!data\.)[a-z_]+\.[a-z_]+)`", section))
    assert named == told, f"docs/api.md, Events: add {sorted(told - named)}, take out {sorted(named - told)}"
