"""The commands of operations: what the banks' lists say, what no step could handle, who may sign in and who may act."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal

import typer
from rich.table import Table

from infra.command_line import Endpoint, StageName, console, told
from infra.deploy.clouds import Cloud, find, stand_in
from infra.plan import stages

cli = typer.Typer()
users = typer.Typer(help="Who may sign in, and who may act.", no_args_is_help=True)
merchants = typer.Typer(help="Who may sell.", no_args_is_help=True)
cli.add_typer(users, name="users")
cli.add_typer(merchants, name="merchants")


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
        what = reconciliation.resolve(cloud, target, charge, outcome, reference, now)
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

            changed = suspensions.decide(verb, whom, prefix)
        state = "suspended" if verb == "suspend" else "active"
        console.print(f"{whom} is {state}{'' if changed else ' already'}.", highlight=False)

    return decide


for _group, _prefix in ((users, "usr"), (merchants, "mer")):
    _group.command("suspend", help="Refuse its every act from the next request on.")(_decision("suspend", _prefix))
    _group.command("resume", help="Take its suspension back.")(_decision("resume", _prefix))


@users.command("add")
def add_user(
    name: Annotated[str, typer.Argument(help="What the user signs in with.")],
    group: Annotated[str, typer.Option(help="operators, merchant_admins, or operations, which is staff.")] = "",
    stage: StageName = stages.LOCAL,
    endpoint: Endpoint = None,
) -> None:
    """Let somebody sign in; prints the password for the first time."""
    from infra.operations.users import add

    with told():
        target = stages.stage(stage)
        user_id, password = add(find(target, endpoint), target, name, group)
    print(f"{name} is {user_id}; the password until the first sign-in, within three days:\n{password}")
