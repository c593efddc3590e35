"""Every scenario there is. A step that is missing here fails `test_crashes`, `test_errors` and `test_permissions`."""

from tests.proof import (
    bill_scenarios,
    card_scenarios,
    charge_scenarios,
    clockwork_scenarios,
    people_scenarios,
    photo_scenarios,
    wallet_scenarios,
)
from tests.proof.plays import Scenario

ALL = (
    *people_scenarios.ALL,
    *wallet_scenarios.ALL,
    *bill_scenarios.ALL,
    *card_scenarios.ALL,
    *charge_scenarios.ALL,
    *clockwork_scenarios.ALL,
    *photo_scenarios.ALL,
)


def is_first(scenario: Scenario) -> bool:
    """Whether it is its step's first: there everything is tried at every call; at the others' calls that only look, which are the
    same ones, nothing."""
    return scenario is next(one for one in ALL if one.step == scenario.step and not one.slow)
