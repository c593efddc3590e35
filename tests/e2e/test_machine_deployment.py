"""A state machine is deployed by its name, and by nothing else: not along with a step, and no step along with it (XX-07)."""

import json
from typing import Any

import pytest

from infra.deploy.clouds import Cloud
from infra.deploy.differences import WAIT_SECONDS
from infra.plan import stages
from infra.plan.state_machines import machines, tasks
from tests.e2e.checkout import Checkout

MACHINE, STEP = "bank_authentication", "get_bill"
PREFIX = stages.stage(stages.LOCAL).prefix


@pytest.fixture
def cloud(stack: dict[str, Any]) -> Cloud:
    """The local cloud, as its owner may use it."""
    return Cloud(stack["region"], stack["account"], stack["endpoint"])


def deployed(cloud: Cloud) -> dict[str, Any]:
    """The definition that new executions begin with."""
    arn = f"arn:aws:states:{cloud.region}:{cloud.account}:stateMachine:{PREFIX}-{MACHINE.replace('_', '-')}"
    definition = cloud.client("stepfunctions").describe_state_machine(stateMachineArn=arn)["definition"]
    return dict(json.loads(definition))


def test_a_machine_is_its_file_with_its_own_functions_and_the_local_clouds_times(stack: dict[str, Any], cloud: Cloud):
    """What runs is the file: the same states, each step its alias, and a fixed wait where AWS takes the step's word."""
    expected = json.dumps(machines()[MACHINE])
    for name in tasks(machines()[MACHINE]):
        alias = f"arn:aws:lambda:{cloud.region}:{cloud.account}:function:{PREFIX}-{name.replace('_', '-')}:live"
        expected = expected.replace(f"${{{name}}}", alias)
    definition = json.loads(expected)
    for state in definition["States"].values():
        if state.pop("TimeoutSecondsPath", None):
            state["TimeoutSeconds"] = WAIT_SECONDS
    assert deployed(cloud) == definition


def test_a_machine_is_deployed_by_its_name_alone(checkout: Checkout, stack: dict[str, Any], cloud: Cloud):
    """A changed file waits until somebody names it; then the machine is new and every step is as it was."""
    path = checkout.folder / f"infra/plan/{MACHINE}.asl.json"
    before, versions = path.read_text(), checkout.infra("status")
    changed = {**json.loads(before), "Comment": "Changed"}
    try:
        path.write_text(json.dumps(changed))
        checkout.infra("deploy", STEP)
        assert deployed(cloud)["Comment"] != "Changed"
        checkout.infra("deploy", MACHINE)
        assert deployed(cloud)["Comment"] == "Changed"
        assert checkout.infra("status") == versions
    finally:
        path.write_text(before)
        checkout.infra("deploy", MACHINE)
    assert deployed(cloud)["Comment"] == json.loads(before)["Comment"]
