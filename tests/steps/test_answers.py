"""What the steps really answer has the shape that the contract promises: every route, every kind of caller."""

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from infra.pages import contract
from infra.plan import steps
from tests.steps.town import CALLS, ask
from tests.world import Response, call

CONTRACT = contract.build(steps.known())


def faults(route: str, answer: Response) -> list[str]:
    """How an answer differs from the contract."""
    method, _, path = route.partition("?")[0].partition(" ")
    responses = CONTRACT["paths"][path][method.lower()]["responses"]
    promised = responses.get(str(answer.status)) or CONTRACT["components"]["responses"]["Problem"]
    if answer.status < 400 and str(answer.status) not in responses:
        return [f"{answer.status} is not promised"]
    if "content" not in promised:
        return [] if answer.body is None else ["a body that is not promised"]
    [(media_type, content)] = promised["content"].items()
    if answer.headers["Content-Type"] != media_type:
        return [f"{answer.headers['Content-Type']} instead of {media_type}"]
    schema = content["schema"] | {"components": CONTRACT["components"]}
    return [f"{error.json_path}: {error.message}" for error in Draft202012Validator(schema).iter_errors(answer.body)]


@pytest.mark.parametrize("route", CALLS)
def test_every_answer_is_as_the_contract_says(town, route):
    """XX-02: successes by their model, refusals as problems with a listed code."""
    found: dict[str, Any] = {}
    for who in town.people:
        if wrong := faults(route, ask(route, town, who)):
            found[who] = wrong
    assert found == {}


@pytest.mark.parametrize("route", [route for route in CALLS if route.startswith(("POST", "PUT"))])
def test_a_problem_with_a_pointer_is_as_the_contract_says(village, route):
    """XX-02: bad input too."""
    method, _, resource = route.partition(" ")
    path = resource.format(**CALLS[route].path(village))
    answer = call(method, path, village.owner, raw='{"unknown": 1}', phone=village.owner.phone)
    assert answer.status in (400, 401, 403)
    assert faults(route, answer) == []


def test_the_examples_of_the_guide_are_problems():
    """The guide shows a problem as it is."""
    text = contract.GUIDE.read_text().partition("```json\n{\n")[2].partition("\n```")[0]
    answer = Response(403, json.loads("{" + text), {"Content-Type": "application/problem+json"})
    assert faults("POST /v1/transfers", answer) == []
