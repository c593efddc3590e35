"""What a step's function gets of Lambda: the `Runs` line of its header, and what a stage changes of it (issue 8 §2)."""

import copy
import json

import pytest

from infra.plan import stages, steps
from infra.plan.settings import DEFAULT, Settings, settings
from infra.plan.stages import Unknown

STEPS = {step.name: step for step in steps.known(sandbox_bank=True)}
CONFIG = json.loads(stages.CONFIG.read_text())


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("1024 MiB, 50 s, at most 1", Settings(1024, 50, 1)),
        ("1024 MiB", Settings(1024, DEFAULT.timeout_seconds, None)),
        ("50 s", Settings(DEFAULT.memory_mib, 50, None)),
        ("at most 3", Settings(DEFAULT.memory_mib, DEFAULT.timeout_seconds, 3)),
        ("1769 MiB, at most 2", Settings(1769, DEFAULT.timeout_seconds, 2)),
        ("50 s, at most 1        (one run ends before the next begins)", Settings(DEFAULT.memory_mib, 50, 1)),
    ],
)
def test_each_part_of_the_line_may_be_missing(line, expected):
    """What it does not say is the default's."""
    assert settings(line) == expected


@pytest.mark.parametrize(
    "line",
    [
        "",
        "(a reason)",
        "1024",
        "1024 MB",
        "50 s, 1024 MiB",
        "1024 MiB 50 s",
        ", 50 s",
        "1 GiB",
        "64 MiB",
        "901 s",
        "0 s",
    ],
)
def test_a_line_that_lambda_could_not_keep_is_refused(line):
    """Before anything is deployed, and with what was said."""
    with pytest.raises(ValueError, match="Runs says"):
        settings(line)


def test_a_step_gets_what_its_header_says_and_a_stage_changes_only_what_it_names():
    """Each of the three stages has the same code with the same memory."""
    for name in stages.names():
        stage = stages.stage(name)
        assert STEPS["compare_charges"].settings(stage).memory_mib == 1769
        assert STEPS["find_due_bills"].settings(stage) == Settings(DEFAULT.memory_mib, 50, 1)
        assert STEPS["open_bill"].settings(stage) == DEFAULT
    production = stages.stage("production")
    assert STEPS["end_bills"].settings(production) == Settings(concurrency=40)
    assert STEPS["end_bills"].settings(stages.stage("sandbox")) == DEFAULT


def changed(**said: object) -> dict[str, object]:
    """The configuration in which production says something more."""
    config = copy.deepcopy(CONFIG)
    config["stages"]["production"] |= said
    return config


@pytest.mark.parametrize(
    ("said", "near"),
    [
        ({"lambda_functions": {"end_bils": {"reserved_concurrency": 1}}}, "end_bills"),
        ({"lambda_functions": {"end_bills": {"concurrency": 1}}}, "reserved_concurrency"),
        ({"log_retention_days": 7}, "log_retention_in_days"),
    ],
    ids=["step", "setting of a step", "setting of the stage"],
)
def test_what_a_stage_says_and_nothing_reads_is_refused_with_the_nearest_names(said, near):
    """A typing error would silently leave the default."""
    with pytest.raises(Unknown, match=f"nearest names are .*{near}"):
        stages.read(changed(**said), "production")


def test_all_that_a_stage_may_say_of_a_function_reaches_it():
    """In Chalice's words."""
    said = {"lambda_memory_size": 2048, "lambda_timeout": 30, "reserved_concurrency": 7}
    stage = stages.read(changed(lambda_functions={"open_bill": said}), "production")
    assert STEPS["open_bill"].settings(stage) == Settings(2048, 30, 7)
