"""The templates, built from the map of steps. Stacks are tied by exports, and by the functions' names with the alias `live`.

artifacts       the bucket of packages and templates
kept            tables, queues, user pools, secrets, keys, log groups: what outlives every deployment
sandbox-bank    in sandbox stages only: the API of the bank that Billfold calls there
alarms          on AWS only: what wakes somebody
steps-<folder>  a workflow's functions, each with its own role, version and alias (SAM)
machine-<name>  a state machine and its role
gateway         the REST API: each route to its own function's alias
firewall        on AWS only: WAF before the gateway
"""

from typing import Any

from infra.plan.stages import Stage
from infra.plan.state_machines import machines as machine_files
from infra.plan.steps import SANDBOX_BANK, Step, by_workflow
from infra.templates import alarms, buckets, firewall, gateway, kept, machines, sandbox_bank, workflows
from infra.templates.workflows import Code

Template = dict[str, Any]


def build(stage: Stage, steps: list[Step], codes: dict[str, Code]) -> dict[str, Template]:
    """Every template by its stack's name, in the order of deployment. `codes` is each step's code and layers."""
    bank = [step for step in steps if step.workflow == SANDBOX_BANK]
    assert stage.sandbox or not bank, "the sandbox bank is for sandbox stages"
    named: dict[str, Template] = {
        f"{stage.prefix}-artifacts": buckets.artifacts(stage),
        f"{stage.prefix}-kept": kept.template(stage, steps),
        f"{stage.prefix}-alarms": alarms.template(stage, steps),
    }
    if bank:
        # Before the steps that call it: they take its address from its stack.
        named[workflows.stack_name(stage, SANDBOX_BANK)] = workflows.template(stage, SANDBOX_BANK, bank, codes)
        named[f"{stage.prefix}-sandbox-bank"] = sandbox_bank.template(stage, bank)
    for workflow, its_steps in by_workflow([step for step in steps if step not in bank]).items():
        named[workflows.stack_name(stage, workflow)] = workflows.template(stage, workflow, its_steps, codes)
    for machine, definition in machine_files().items():
        named[machines.stack_name(stage, machine)] = machines.template(stage, machine, definition)
    named[f"{stage.prefix}-gateway"] = gateway.template(stage, steps)
    named[f"{stage.prefix}-firewall"] = firewall.template(stage)
    return named


def sample_codes(steps: list[Step]) -> dict[str, Code]:
    """Codes that stand for none in particular, for looking at the templates and checking them."""
    layer = "arn:aws:lambda:us-east-1:123456789012:layer:billfold:1"
    return {step.name: Code("artifacts", f"functions/{step.name}-sample.zip", (layer,)) for step in steps}


__all__ = ["Code", "Template", "build", "sample_codes"]
