"""Stages: what `.chalice/config.json` says about each, read the way Chalice reads it (function, then stage, then all)."""

import json
import pathlib
from dataclasses import dataclass
from typing import Any

from chalice.config import Config

ROOT = pathlib.Path(__file__).parent.parent
CONFIG = ROOT / ".chalice" / "config.json"
LOCAL = "local"


@dataclass(frozen=True)
class Settings:
    """What one function gets: memory in MiB, time-out in seconds, at most so many at once (None: the account's share)."""

    memory_mib: int
    timeout_seconds: int
    concurrency: int | None


@dataclass(frozen=True)
class Stage:
    """One deployment of everything. `prefix` begins every name in it; `sandbox` allows what no real customer may meet.

    `vault_keys`: the generations of the vault's keys, the newest first. `variables`: what it says for functions' environments.
    """

    name: str
    prefix: str
    sandbox: bool
    gradual: str
    log_days: int
    vault_keys: tuple[str, ...]
    variables: dict[str, str]
    config: Config

    def settings(self, step_name: str) -> Settings:
        """The settings of a step's function."""
        scoped = self.config.scope(self.name, step_name)
        return Settings(scoped.lambda_memory_size, scoped.lambda_timeout, scoped.reserved_concurrency)


def names() -> list[str]:
    """The stages there are."""
    return sorted(_read()["stages"])


def stage(name: str) -> Stage:
    """A stage by name; KeyError for one that the configuration does not name."""
    found = _read()
    said = found["stages"][name]
    config = Config(chalice_stage=name, config_from_disk=found, user_provided_params={"project_dir": str(ROOT)})
    environment = said["environment_variables"]
    return Stage(
        name,
        environment["BILLFOLD_PREFIX"],
        environment.get("BILLFOLD_SANDBOX") == "1",
        said.get("gradual", ""),
        config.log_retention_in_days,
        tuple(environment["BILLFOLD_VAULT_KEYS"].split()),
        environment,
        config,
    )


def _read() -> dict[str, Any]:
    return dict(json.loads(CONFIG.read_text()))
