"""The commands that deploy: everything or by name, the look ahead, the way back, and what is live."""

from typing import Annotated

import typer
from rich.table import Table

from infra.command_line import Endpoint, StageName, console, stopwatch, told
from infra.deploy.clouds import find
from infra.deploy.stacks import DeploymentFailed
from infra.plan import stages

cli = typer.Typer()
Names = Annotated[
    list[str] | None, typer.Argument(help="Steps and state machines by name, such as open_bill; all without one.")
]


@cli.command()
def deploy(names: Names = None, stage: StageName = stages.LOCAL, endpoint: Endpoint = None) -> None:
    """Repackage and update the named steps (all without a name), publish a version each, and move its alias `live`.

    A state machine that is named is updated from its file. A step that was rolled back is left as it is unless it is named.
    """
    from infra.deploy import deployment
    from infra.plan.state_machines import machines
    from infra.plan.steps import load

    with told():
        target = stages.stage(stage)
        steps = load(sandbox_bank=target.sandbox)
        stages.check_known("step or state machine", names or [], [*(step.name for step in steps), *machines()])
        cloud, say = find(target, endpoint), stopwatch()
        say(f"stage {stage}: account {cloud.account}, {cloud.region}, every name begins with {target.prefix}-")
        if not names and not cloud.endpoint:
            _look_ahead(stage)
        named = [name for name in names or [] if name not in machines()]
        if named or not names:
            for one in deployment.deploy(cloud, target, steps, named, say):
                word = "unchanged, " if one.before == one.after else ""
                console.print(f"{one.step.name}: {word}version {one.after} is live", highlight=False)
        deployment.deploy_machines(cloud, target, [name for name in names or [] if name in machines()], say)
        for what, text in deployment.addresses(cloud, target).items():
            console.print(f"{what}: {text}", highlight=False)


@cli.command("preflight")
def look_ahead(stage: StageName) -> None:
    """Look for what would make a deployment to AWS fail: account, region, quotas, concurrency, permissions."""
    with told():
        _look_ahead(stage)


def _look_ahead(stage: str) -> None:
    from infra.deploy import preflight
    from infra.plan.steps import load

    target = stages.stage(stage)
    found = preflight.look(find(target), target, load(sandbox_bank=target.sandbox))
    for one in found:
        console.print(f"{one.outcome:8}{one.about}: {one.text}", markup=False, highlight=False)
    if bad := [one.about for one in found if one.outcome == "bad"]:
        raise DeploymentFailed(f"nothing was deployed: see {', '.join(bad)} above")


@cli.command()
def rollback(name: str, stage: StageName = stages.LOCAL, endpoint: Endpoint = None) -> None:
    """Make the version of a step live that was live before, stopping a shift that is under way."""
    from infra.deploy import deployment, versions
    from infra.plan.steps import load

    with told():
        target = stages.stage(stage)
        steps = {step.name: step for step in load(sandbox_bank=target.sandbox)}
        stages.check_known("step", [name], steps)
        cloud = find(target, endpoint)
        before, after = versions.rollback(cloud, target, deployment.artifacts(cloud, target), steps[name])
    console.print(f"{name}: version {after} is live, {before} was", highlight=False)


@cli.command()
def status(stage: StageName = stages.LOCAL, endpoint: Endpoint = None) -> None:
    """Show each step's function, its live version and when that was published."""
    from infra.deploy import versions
    from infra.plan.steps import load

    table = Table("step", "function", "live", "changed at (UTC)", pad_edge=False, box=None, header_style="bold")
    with told(), console.status("asking"):
        target = stages.stage(stage)
        for live in versions.status(find(target, endpoint), target, load(sandbox_bank=target.sandbox)):
            function = live.step.function(target.prefix)
            table.add_row(live.step.name, function, live.version or "not deployed", live.changed_at)
    console.print(table)
