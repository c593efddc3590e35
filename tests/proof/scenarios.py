"""Every scenario there is: `ALL` of each `<workflow>_scenarios` beside this file, found by its name.

A step that has none fails `test_crashes`, `test_errors` and `test_permissions`.
"""

import importlib

from tests import proof
from tests.proof.plays import Scenario
from tests.world import STEPS

ALL: tuple[Scenario, ...] = tuple(
    scenario for name in proof.SCENARIOS for scenario in importlib.import_module(f"tests.proof.{name}").ALL
)


def is_first(scenario: Scenario) -> bool:
    """Whether a scenario is the first of its step. Every fault is tried at every call of the first one. In the others, calls that
    only read get no fault, because the first scenario made the same calls."""
    return scenario is next(one for one in ALL if one.step == scenario.step and not one.slow)


def takes_pin(step: str) -> bool:
    """Whether a step's body has a PIN that it verifies, by its model, so that a new step is found."""
    body = getattr(STEPS[step].handler, "body", None)
    return bool({"pin", "current_pin"} & set(getattr(body, "__struct_fields__", ())))
