"""`python -m infra`: the map of steps, deployment, the way back, and the local cloud."""

import typer

from infra.clients.commands import cli as clients
from infra.demo.commands import cli as demo
from infra.deploy.commands import cli as deploy
from infra.local.commands import cli as local
from infra.operations.commands import cli as operations
from infra.pages.commands import cli as pages
from infra.plan.commands import cli as plan
from infra.templates.commands import cli as templates

cli = typer.Typer(help=__doc__, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
for wing in (local, demo, clients, deploy, operations, plan, pages, templates):
    cli.add_typer(wing)

if __name__ == "__main__":
    cli()
