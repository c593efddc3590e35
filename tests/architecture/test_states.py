"""The states that the contract names are those that the code can reach, for every resource (issue 7 C17)."""

import ast
import importlib
import inspect
from types import ModuleType
from typing import get_args

import pytest

from infra.pages import contract
from infra.plan import steps
from infra.plan.stages import ROOT
from tests.world import STEPS

SCHEMAS = contract.build(steps.known())["components"]["schemas"]
# By schema: the states that the code lists, the modules that say what a thing becomes, and what they make of another thing. Each
# workflow's are `RESOURCES` of its `tests/steps/<workflow>/states.py`.
RESOURCES: dict[str, tuple[tuple[str, ...], tuple[ModuleType, ...], set[str]]] = {
    schema: states
    for file in sorted((ROOT / "tests/steps").glob("*/states.py"))
    for schema, states in importlib.import_module(f"tests.steps.{file.parent.name}.states").RESOURCES.items()
}


def said(node: ast.AST) -> set[str]:
    """The texts within an expression."""
    return {one.value for one in ast.walk(node) if isinstance(one, ast.Constant) and isinstance(one.value, str)}


def reached(*modules: ModuleType) -> set[str]:
    """What these modules' code makes a thing's state: where it begins, what it is replaced by, how it ends."""
    found = set[str]()
    for node in (node for module in modules for node in ast.walk(ast.parse(inspect.getsource(module)))):
        if isinstance(node, ast.AnnAssign | ast.Assign) and node.value:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            found |= said(node.value) if any(getattr(one, "id", "") == "state" for one in targets) else set()
        if isinstance(node, ast.Call):
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            named = [one.value for one in node.keywords if one.arg == "state" and name in ("replace", "Ended")]
            found |= {text for value in named for text in said(value)}
            # What these take as a state stands at this place.
            place = {"_with_state": 2, "Photo": 2}.get(name)
            found |= said(node.args[place]) if place is not None and len(node.args) > place else set()
    return found


def published(schema: str) -> list[str]:
    return list(SCHEMAS[schema]["properties"]["state"]["enum"])


def test_every_resource_with_a_state_is_compared():
    """The list is the contract's: a new resource cannot stay out."""
    found = {name for name, schema in SCHEMAS.items() if "state" in schema.get("properties", {})}
    absent, gone = found - set(RESOURCES), set(RESOURCES) - found
    assert not absent, f"list the states of {sorted(absent)} in tests/steps/<workflow>/states.py"
    assert not gone, f"the contract has no such schema: {sorted(gone)}"


@pytest.mark.parametrize("schema", RESOURCES)
def test_the_contract_names_exactly_the_states_that_the_code_reaches(schema: str):
    """Both ways: none is published that never comes, and none comes that is not published."""
    listed, modules, of_another = RESOURCES[schema]
    assert published(schema) == list(listed)
    assert reached(*modules) - of_another == set(listed)


LISTED_BY_STATE = {
    name: parameter.schema["enum"]
    for name, step in STEPS.items()
    for parameter in getattr(step.handler, "query", ())
    if parameter.name == "state"
}


def test_a_list_can_be_filtered_by_each_state_of_what_it_shows():
    """Issue 8 §2: `settling` could not be asked for."""
    assert LISTED_BY_STATE
    for name, asked in LISTED_BY_STATE.items():
        [shown] = get_args(STEPS[name].handler.answers)
        assert asked == published(shown.__name__), f'functions/…/{name}.py: calls.choice("state", "", *noun.STATES)'
