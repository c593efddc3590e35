"""`python -m infra`: the map of steps, deployment, the way back, and the local cloud."""

import pathlib
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal

import typer
from rich.console import Console
from rich.table import Table

from infra.command_line import Endpoint, StageName, console, told
from infra.deploy import commands as deployment_commands
from infra.deploy.clouds import Cloud, CloudAbsent, find, read_stack, stand_in
from infra.plan import stages

# The shared code as a package of this process; Lambda finds it in the layer.
sys.path.insert(0, str(stages.ROOT / "layers/billfold/python"))

cli = typer.Typer(help=__doc__, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
users = deployment_commands.users
merchants = typer.Typer(help="Who may sell.", no_args_is_help=True)
cli.add_typer(merchants, name="merchants")
cli.add_typer(deployment_commands.cli)


@cli.command("steps")
def show_steps() -> None:
    """Print the map: every step, its trigger, its function, and what it may touch."""
    from infra.plan.steps import load

    prefix = stages.stage(stages.LOCAL).prefix
    table = Table("workflow", "step", "trigger", "function", "may", pad_edge=False, box=None, header_style="bold")
    for step in load(sandbox_bank=True):
        table.add_row(step.workflow, step.name, str(step.trigger), step.function(prefix), step.header["May"])
    Console(width=None if sys.stdout.isatty() else 250).print(table)


@cli.command("reconciliation")
def show_reconciliation(
    day: Annotated[str, typer.Argument(help="A UTC day, such as 2026-11-23; yesterday without one.")] = "",
    stage: StageName = stages.LOCAL,
    endpoint: Endpoint = None,
) -> None:
    """Show where a day's charges and the banks' own lists differ."""
    target, day = stages.stage(stage), day or f"{datetime.now(UTC) - timedelta(days=1):%Y-%m-%d}"
    with told():
        _show_reports(find(target, endpoint), target, day)


@cli.command("compare-day")
def compare_day(
    day: Annotated[str, typer.Argument(help="A UTC day that is over, such as 2026-11-23.")],
    stage: StageName = stages.LOCAL,
    endpoint: Endpoint = None,
) -> None:
    """Compare a day's charges with the banks' own lists anew, wait for it, and show what differs."""
    from infra.operations import reconciliation

    target, shown = stages.stage(stage), ""
    with told(), console.status(f"comparing {day}") as status:
        cloud = find(target, endpoint)
        begun = reconciliation.begin(cloud, target, day, int(datetime.now(UTC).timestamp() * 1_000))
        while left := {bank: far for bank, far in reconciliation.progress(cloud, target, begun).items() if far}:
            passed = "; ".join(f"{bank}: {far}" for bank, far in left.items())
            status.update(f"comparing {day}: {passed} (Ctrl-C stops the waiting alone)")
            if not console.is_terminal and passed != shown:
                console.print(passed, highlight=False)
            shown = passed
            time.sleep(1)
        _show_reports(cloud, target, day)


def _show_reports(cloud: Cloud, target: stages.Stage, day: str) -> None:
    """A day's reports, each with its differences."""
    from infra.operations import reconciliation

    found = reconciliation.reports(cloud, target, day)
    if not found:
        console.print(f"No comparison of {day} has been made.", highlight=False)
    for report in found:
        console.print(f"{report.bank}, {day}: {report.compared} compared, {report.found} differ", highlight=False)
        table = Table("difference", "charge", "here", "at the bank", pad_edge=False, box=None, header_style="bold")
        for line in reconciliation.lines(report):
            table.add_row(*line)
        if report.differences:
            console.print(table)


@cli.command("resolve-charge")
def resolve_charge(
    charge: Annotated[str, typer.Argument(help="Its id: chg_…")],
    outcome: Annotated[Literal["charged", "refunded", "declined"], typer.Argument(help="What the bank did.")],
    reference: Annotated[str, typer.Argument(help="The bank's reference of what it did; none when it declined.")] = "",
    stage: StageName = stages.LOCAL,
    endpoint: Endpoint = None,
) -> None:
    """Say what you found out at the bank about a charge that is settling for ever; its step settles it by that."""
    from infra.operations import reconciliation

    with told():
        target = stages.stage(stage)
        cloud, now = find(target, endpoint), int(datetime.now(UTC).timestamp() * 1_000)
        try:
            what = reconciliation.resolve(cloud, target, charge, outcome, reference, now)
        except reconciliation.NotToResolve as fault:
            console.print(str(fault), markup=False, highlight=False)
            raise typer.Exit(1) from None
    console.print(f"{charge}, a {what}, will be settled as {outcome}.", highlight=False)


@cli.command("dead-letters")
def dead_letters(
    action: Annotated[Literal["count", "show", "redrive"], typer.Argument(help="What to do.")] = "count",
    queue: Annotated[str, typer.Argument(help="A queue by name, such as feeds, or streams.")] = "",
    stage: StageName = stages.LOCAL,
    endpoint: Endpoint = None,
) -> None:
    """Count what no step could handle, show what it is about, or bring it back to its step."""
    from infra.operations import dead_letters

    with told():
        target = stages.stage(stage)
        if action != "count":
            stages.check_known("queue", [queue], dead_letters.names(target))
        cloud = find(target, endpoint)
        if action == "redrive":
            went, stay = dead_letters.redrive(cloud, target, queue)
            console.print(f"{queue}: {went} went back, {stay} cannot be read or handled and stay.", highlight=False)
        elif action == "show":
            for line in dead_letters.lines(dead_letters.show(cloud, target, queue)):
                console.print(line, markup=False, highlight=False)
        else:
            for name, count in dead_letters.counts(cloud, target).items():
                console.print(f"{count:6} {name}", highlight=False)


def _decision(verb: str, prefix: str) -> Callable[..., None]:
    """The command by which operations suspend or resume a user or merchant."""

    def decide(
        whom: Annotated[str, typer.Argument(help=f"Its id: {prefix}_…")],
        stage: StageName = stages.LOCAL,
        endpoint: Endpoint = None,
    ) -> None:
        with told():
            stand_in(find(stages.stage(stage), endpoint), stages.stage(stage).prefix)
            from infra.operations import suspensions

            try:
                changed = suspensions.decide(verb, whom, prefix)
            except suspensions.NobodyThere as fault:
                console.print(str(fault), markup=False, highlight=False)
                raise typer.Exit(1) from None
        state = "suspended" if verb == "suspend" else "active"
        console.print(f"{whom} is {state}{'' if changed else ' already'}.", highlight=False)

    return decide


for _group, _prefix in ((users, "usr"), (merchants, "mer")):
    _group.command("suspend", help="Refuse its every act from the next request on.")(_decision("suspend", _prefix))
    _group.command("resume", help="Take its suspension back.")(_decision("resume", _prefix))


@cli.command()
def up(
    port: Annotated[int, typer.Option(help="The port on 127.0.0.1.")] = 4566,
    detach: Annotated[bool, typer.Option("--detach", help="Return once everything answers.")] = False,
    auth: Annotated[bool, typer.Option("--auth", help="Enforce each function's role.")] = False,
) -> None:
    """Start the local cloud, deploy the real templates, seed the sandbox; stay until Ctrl-C."""
    from infra.local import local_cloud as local

    with told():
        local.up(console, port, detach=detach, auth=auth)


@cli.command()
def down() -> None:
    """Stop the local cloud that was started here."""
    from infra.local import local_cloud as local

    server = local.down()
    console.print(
        f"Stopped the local cloud on port {server.port}." if server else "No local cloud runs here.", highlight=False
    )


@cli.command()
def token(name: Annotated[str, typer.Argument(help="A user of .local/stack.json.")] = "alice") -> None:
    """Sign a user of the sandbox in; the last line is a token for the Authorization header."""
    from infra.clients.api import sign_in

    with told():
        stack = read_stack()
        stages.check_known("user", [name], stack["users"])
        text = sign_in(stack, name)
    print(f"{name}, for an hour:\n{text}")


@cli.command()
def demo(port: Annotated[int, typer.Option(help="The port, when the local cloud must be started.")] = 4566) -> None:
    """Play the main job as a phone and its terminals would; starts the local cloud if none runs, and stops it then."""
    from infra.demo.plays import play
    from infra.local import local_cloud as local

    started = False
    with told():
        try:
            stack = read_stack()
        except CloudAbsent:
            local.up(console, port, detach=True)
            stack, started = read_stack(), True
    try:
        raise typer.Exit(play(stack, console))
    finally:
        if started:
            local.down()
            console.print("Stopped the local cloud, which was started for the demo.")


@cli.command()
def currencies() -> None:
    """Write the table of currencies anew from ISO 4217."""
    from infra.pages import currencies as table

    table.write()
    console.print(f"Wrote {table.TARGET.relative_to(stages.ROOT)}.", highlight=False)


@cli.command("contract")
def write_contract() -> None:
    """Write the OpenAPI contract anew from the routes, models and refusals."""
    from infra.pages import contract

    contract.write()
    console.print("Wrote the contract.", highlight=False)


@cli.command("readme")
def write_readme() -> None:
    """Write the README's map of steps anew."""
    from infra.pages import readme

    readme.write()
    console.print("Wrote README.md.", highlight=False)


@cli.command("drawings")
def draw_machines() -> None:
    """Draw the state machines anew from their files."""
    from infra.pages import drawings

    for file in drawings.write():
        console.print(f"Wrote {file.relative_to(stages.ROOT)}.", highlight=False)


@cli.command("templates")
def write_templates(
    to: Annotated[pathlib.Path, typer.Option(help="A folder.")] = stages.ROOT / "build/templates",
) -> None:
    """Write every stage's templates out, to be read or checked."""
    from infra.templates import checks

    for file in checks.write(to):
        console.print(str(file), highlight=False)


@cli.command("check-templates")
def check_templates() -> None:
    """Check the templates with cfn-lint and checkov; exceptions and their reasons are in infra/templates/checks.py."""
    from infra.templates import checks

    with told():
        raise typer.Exit(checks.run(console))


if __name__ == "__main__":
    cli()
