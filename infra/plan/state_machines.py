"""State machines, as their files `infra/plan/<name>.asl.json` define them, and the steps that each calls."""

import json
import pathlib
import re
from typing import Any


def machines() -> dict[str, dict[str, Any]]:
    """The state machines by name, as their files define them."""
    found = sorted(pathlib.Path(__file__).parent.glob("*.asl.json"))
    return {path.name.removesuffix(".asl.json"): json.loads(path.read_text()) for path in found}


def tasks(machine: dict[str, Any]) -> set[str]:
    """The steps that a state machine calls, named in its file as `${step}`."""
    return set(re.findall(r"\$\{(\w+)\}", json.dumps(machine)))
