"""A step's `May` line is what its role is made of (XX-06): it names exactly what the step does, over all its scenarios."""

from collections import defaultdict

import pytest

from infra import steps
from tests.proof import recordings, scenarios
from tests.proof.wire import permissions

Used = dict[str, set[tuple[str, str]]]


@pytest.fixture(scope="module")
def used(stage) -> Used:
    """What each step asked AWS for, in first deliveries and in repeats."""
    found: Used = defaultdict(set)
    for scenario in scenarios.ALL:
        for call in recordings.record(stage, scenario).calls:
            found[scenario.step] |= permissions(call)
    return found


def allowed(step: steps.Step) -> set[tuple[str, str]]:
    """A step's `May` line in the same words."""
    queues = {("queue", name) for name in step.may.queues}
    return queues | {
        (table, f"{action}:{index}" if index else action)
        for (table, index), actions in step.may.actions.items()
        for action in actions
    }


@pytest.mark.parametrize("step", steps.load(), ids=lambda step: step.name)
def test_a_step_may_do_exactly_what_it_does(used: Used, step: steps.Step):
    """Nothing is missing from its role, and nothing is in it that no scenario needs."""
    assert used[step.name] == allowed(step)


def test_no_step_ever_scans(used: Used):
    """Any access is by key or index: a Scan would grow with the table."""
    actions = {action.partition(":")[0] for pairs in used.values() for table, action in pairs if table != "queue"}
    assert actions <= {
        "BatchGetItem",
        "BatchWriteItem",
        "ConditionCheckItem",
        "DeleteItem",
        "PutItem",
        "Query",
        "UpdateItem",
    }
