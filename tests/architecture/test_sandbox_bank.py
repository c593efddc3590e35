"""The sandbox bank is a foreign service: sandbox stages have it, production never does, and neither knows the other's rules."""

import ast
import json
import pathlib
import re

import pytest

from infra import templates
from infra.build import packages
from infra.pages.contract import FILE as CONTRACT
from infra.plan import stages, steps
from infra.plan.stages import ROOT
from infra.plan.triggers import BankCalls
from sandbox_bank import behaviours

BANK = sorted((ROOT / "layers/sandbox_bank/python/sandbox_bank").glob("*.py"))
BANK_STEPS = [step for step in steps.known(sandbox_bank=True) if step.workflow == steps.SANDBOX_BANK]
SANDBOXES = [name for name in stages.names() if stages.stage(name).sandbox]
# Machinery that any service needs; the rules of money, cards and bills are not among it.
MAY_IMPORT = {
    "billfold.aws",
    "billfold.clock",
    "billfold.ids",
    "billfold.errors",
    "billfold.tables.commits",
    "billfold.tables.rows",
    "billfold.triggers",
    "billfold.triggers.again",
}


def built(stage_name: str) -> dict[str, templates.Template]:
    stage = stages.stage(stage_name)
    found = steps.known(sandbox_bank=stage.sandbox)
    return templates.build(stage, found, templates.sample_codes(found))


def imported(path: pathlib.Path) -> set[str]:
    """The modules of Billfold that a file imports."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module if node.module != "billfold" else f"billfold.{alias.name}" for alias in node.names}
    return {name for name in found if name.split(".")[0] == "billfold"}


def test_nothing_of_it_is_deployed_to_production():
    """XX-08: no function, table, queue, secret, layer or address of it."""
    assert "sandbox" not in json.dumps(built("production")).lower()


def test_production_refuses_to_be_built_with_it():
    """XX-08: even by mistake."""
    found = steps.known(sandbox_bank=True)
    with pytest.raises(AssertionError, match="for sandbox stages"):
        templates.build(stages.stage("production"), found, templates.sample_codes(found))


@pytest.mark.parametrize("step", steps.known(), ids=lambda step: step.name)
def test_no_step_of_billfold_carries_its_code(step):
    """XX-08: neither as a layer nor by an import."""
    assert "sandbox_bank" not in step.layers
    assert "import sandbox_bank" not in (ROOT / step.path).read_text()
    assert "from sandbox_bank" not in (ROOT / step.path).read_text()


def test_the_layer_of_billfold_does_not_contain_it():
    """XX-08: its code is a layer of its own, which its own two steps carry."""
    files = [path.name for path in packages.CODE.rglob("*")]
    assert "behaviours.py" not in files
    assert all("sandbox_bank" not in path.read_text() for path in packages.CODE.rglob("*.py"))
    assert [step.layers for step in BANK_STEPS] == [("sandbox_bank",)] * 2


@pytest.mark.parametrize("path", BANK, ids=lambda path: path.name)
def test_it_knows_nothing_of_billfolds_rules(path):
    """It could be anybody's bank."""
    assert imported(path) <= MAY_IMPORT


@pytest.mark.parametrize("stage_name", SANDBOXES)
def test_a_sandbox_has_it_at_an_address_of_its_own(stage_name):
    """A second REST API, before the steps that take its address; each of its routes goes to its own step."""
    prefix, found = stages.stage(stage_name).prefix, built(stage_name)
    names = [name.removeprefix(f"{prefix}-") for name in found]
    assert names.index("steps-sandbox-bank") < names.index("sandbox-bank") < names.index("steps-bills")
    api = found[f"{prefix}-sandbox-bank"]
    methods = [one for one in api["Resources"].values() if one["Type"] == "AWS::ApiGateway::Method"]
    routes = next(step.trigger.routes for step in BANK_STEPS if isinstance(step.trigger, BankCalls))
    assert len(methods) == len(routes) == 10
    assert all(f"{prefix}-answer-bank-calls:live" in json.dumps(one) for one in methods)
    assert api["Outputs"]["Address"]["Export"]["Name"] == f"{prefix}-sandbox-bank-address"
    assert "sandbox-bank" not in json.dumps(found[f"{prefix}-gateway"])


def test_it_is_no_part_of_billfolds_map_or_contract():
    """Its calls are not Billfold's API."""
    assert not {step.name for step in BANK_STEPS} & {step.name for step in steps.known()}
    assert "challenge-answers" not in CONTRACT.read_text()
    assert "answer_bank_calls" not in (ROOT / "README.md").read_text()


def test_the_documentation_lists_every_magic_number():
    """XX-08: docs/sandbox.md has each behaviour's digits with its text, and a valid example."""
    text = (ROOT / "docs/sandbox.md").read_text()
    rows = re.findall(r"^\| `([^`]+)` \| `(\d{16})` \| (.*) \|$", text, re.MULTILINE)
    told = {digits.replace(" ", "")[:8]: (example, about) for digits, example, about in rows}
    assert set(told) == {behaviour.digits for behaviour in behaviours.ALL} | {behaviours.NOBODYS_DIGITS}
    for behaviour in behaviours.ALL:
        example, about = told[behaviour.digits]
        assert behaviours.of(example) is behaviour
        assert behaviours.number(example[:8], int(example[8:15])) == example
        assert about == behaviour.about
