"""Stages: what `.chalice/config.json` says about each. What a step's function gets is in the step's header, and here only what a
stage changes of it."""

import json
import pathlib
import platform
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from infra.failures import Failure
from infra.plan import settings, triggers

ROOT = pathlib.Path(__file__).parents[2]
LOCAL_FOLDER = ROOT / ".local"
CONFIG = ROOT / ".chalice" / "config.json"
LOCAL = "local"
# What a stage may say.
WORDS = (
    *("account", "region", "alarm_address", "environment_variables"),
    *("gradual", "log_retention_in_days", "lambda_functions"),
)


class Unknown(Failure):
    """Nothing has this name; the text tells which names are near."""


@dataclass(frozen=True)
class Target:
    """What functions run on. `wheels`: the platforms whose wheels run there, the best first; empty: those of this machine."""

    runtime: str
    architecture: str
    wheels: tuple[str, ...] = ()


@dataclass(frozen=True)
class Stage:
    """One deployment of everything. `prefix` begins every name in it; `sandbox` allows what no real customer may meet.

    `account`, `region`: the only ones that it is deployed to. `alarm_address`: whom its alarms reach by mail. `vault_keys`: the
    generations of the vault's keys, the newest first. `variables`: what it says for functions' environments. `functions`: what it
    changes of steps' settings, by step.
    """

    name: str
    prefix: str
    account: str
    region: str
    alarm_address: str
    target: Target
    sandbox: bool
    gradual: str
    log_days: int
    vault_keys: tuple[str, ...]
    variables: dict[str, str]
    functions: dict[str, dict[str, int]]


def names() -> list[str]:
    """The stages there are."""
    return sorted(_read()["stages"])


def stage(name: str) -> Stage:
    """A stage by name; Unknown for one that the configuration does not name, or that says what nothing understands."""
    return read(_read(), name)


def read(found: dict[str, Any], name: str) -> Stage:
    """A stage as a configuration says it; Unknown as above."""
    check_known("stage", [name], found["stages"])
    said = found["stages"][name]
    functions = said.get("lambda_functions", {})
    _check_said(name, said, functions)
    environment = said["environment_variables"]
    return Stage(
        name,
        environment["BILLFOLD_PREFIX"],
        said.get("account", ""),
        said.get("region", ""),
        said.get("alarm_address", ""),
        this_machine() if name == LOCAL else Target(found["runtime"], found["architecture"], tuple(found["wheels"])),
        environment.get("BILLFOLD_SANDBOX") == "1",
        said.get("gradual", ""),
        said.get("log_retention_in_days", found["log_retention_in_days"]),
        tuple(environment["BILLFOLD_VAULT_KEYS"].split()),
        environment,
        functions,
    )


def _check_said(name: str, said: dict[str, Any], functions: dict[str, dict[str, int]]) -> None:
    check_known(f"setting of a stage ({name})", said, WORDS)
    if functions:
        check_known(f"step ({name})", functions, dict([*triggers.of_app(), *triggers.of_bank()]))
    for step, changed in functions.items():
        check_known(f"setting of a function ({name}, {step})", changed, settings.WORDS)


def this_machine() -> Target:
    """What the local cloud runs functions on: the Python that builds them, with this machine's own wheels."""
    machine = "arm64" if platform.machine().lower() in ("arm64", "aarch64") else "x86_64"
    return Target(f"python{sys.version_info.major}.{sys.version_info.minor}", machine)


def check_known(what: str, said: Iterable[str], known: Iterable[str]) -> None:
    """Unknown, with the nearest names, unless each name is known."""
    names = sorted(known)
    for name in said:
        if name not in names:
            near = get_close_matches(name, names, n=3, cutoff=0.5) or names[:3]
            raise Unknown(f"there is no {what} {name}; the nearest names are {', '.join(near)}")


def _read() -> dict[str, Any]:
    return dict(json.loads(CONFIG.read_text()))
