"""A town for the tests that put every route through the same: its people, their things, and one call of each route.

The calls and the things are their workflow's: `tests/steps/<workflow>/calls.py`, found by its name, has

    CALLS             one call of each of its routes, with what each caller hears; a route that is missing fails
    furnish(town)     makes the things that its calls are about, where they are about some
    renew(town)       makes those anew that a call can be made to only once
    move_on(town)     does what changes what a first answer showed
"""

import importlib
import json
import pathlib
import re
from types import ModuleType
from typing import Any

from infra.plan import tables
from tests import world
from tests.cloud.engine import Engine
from tests.steps.callers import Call
from tests.world import Person, Response, Seller, call
from tests.world.card_world import CardWorld

TABLES = [table.name for table in tables.of_stage(sandbox=False)]
WORKFLOWS = [
    importlib.import_module(f"tests.steps.{path.parent.name}.calls")
    for path in sorted(pathlib.Path(__file__).parent.glob("*/calls.py"))
]
CALLS: dict[str, Call] = {one.route: one for module in WORKFLOWS for one in module.CALLS}
ID = re.compile(r"[a-z]{3}_[\w-]{32,}")


class Town:
    """The people of the table, and, as attributes, the things that each workflow has furnished it with."""

    def __init__(self, people: dict[str, Person | None], shop: Seller, cards: CardWorld) -> None:
        self.people, self.shop, self.cards = people, shop, cards
        self._furnished: set[str] = set()

    @property
    def owner(self) -> Person:
        owner = self.people["owner"]
        assert owner is not None
        return owner

    def furnish(self, workflow: ModuleType) -> None:
        """Make a workflow's things, once: those of another that they need are asked for by their own `furnish`."""
        if workflow.__name__ not in self._furnished and hasattr(workflow, "furnish"):
            self._furnished.add(workflow.__name__)
            workflow.furnish(self)


def built(stranger: Person, shop: Seller, rival: Seller, cards: CardWorld) -> Town:
    """A new owner with one of each thing, among people who are there already."""
    owner = world.joined()
    world.fund(owner, 100_000)
    people = {
        "nobody": None,
        "stranger": stranger,
        "tablet": world.joined(Person(owner.sub), pin=None),
        "admin": shop.admin,
        "rival": rival.admin,
        "operations": Person(groups=("operations",)),
        "owner": owner,
    }
    town = Town(people, shop, cards)
    for workflow in WORKFLOWS:
        town.furnish(workflow)
    return town


def ask(route: str, town: Town, who: str, unknown: bool = False) -> Response:
    """Make the route's call as one of the people, with a proof by that person's own phone.

    With `unknown`, everything that names a resource names one of that kind which never was.
    """

    def swapped(named: dict[str, Any] | None) -> dict[str, Any] | None:
        return named and {name: never_was(value) if is_id(value) else value for name, value in named.items()}

    person = town.people[who]
    method, _, resource = route.partition("?")[0].partition(" ")
    parameters, body, query = CALLS[route].arguments(town, person)
    if unknown:
        parameters, body, query = swapped(parameters) or {}, swapped(body), swapped(query)
    return call(
        method, resource.format(**parameters), person, body, query=query, phone=person.phone if person else None
    )


def is_id(value: Any) -> bool:
    """Whether it names a resource."""
    return isinstance(value, str) and bool(ID.fullmatch(value))


def never_was(one: str) -> str:
    """An id of the same kind that nobody was ever given."""
    return one[:4] + "0" * (len(one) - 4)


def renew(town: Town) -> None:
    """Another of each thing to which a deed can be done only once."""
    _each("renew", town)


def move_on(town: Town) -> None:
    """Everything that a first answer showed is different afterwards."""
    _each("move_on", town)


def _each(deed: str, town: Town) -> None:
    for workflow in WORKFLOWS:
        if hasattr(workflow, deed):
            getattr(workflow, deed)(town)


def everything(store: Engine) -> list[str]:
    """Every row of every table, to see whether anything changed."""
    return sorted(json.dumps(row, sort_keys=True, default=str) for table in TABLES for row in store.rows(table))
