"""The only place where what the local cloud gets differs from what AWS gets, and why.

Not deployed there at all: the stacks `alarms` and `firewall`. Layers, zips, roles, stacks and their ties are the same.
"""

import copy
from typing import Any


def without_what_only_aws_has(template: dict[str, Any]) -> dict[str, Any]:
    """A template for the local cloud."""
    changed = copy.deepcopy(template)
    for resource in changed["Resources"].values():
        # The emulator has no CodeDeploy: the alias moves at once.
        resource["Properties"].pop("DeploymentPreference", None)
    return changed
