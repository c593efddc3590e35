"""Lists in pages, one of each: `LISTINGS` of `tests/steps/<workflow>/listings.py`, by name what makes it.

Each is of a person or a merchant of its own, so that none counts what another made.
"""

import importlib
import pathlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.world import Person, Response, call
from tests.world.card_world import CardWorld

# How many things most lists have.
COUNT = 7


@dataclass
class Listing:
    """One list: whose, where, how many things are in it, with which filters, and the parameter that follows `next`."""

    person: Person
    path: str
    count: int = COUNT
    query: dict[str, str] = field(default_factory=dict)
    follow: str = "cursor"

    def page(self, person: Person | None = None, path: str = "", **query: str) -> Response:
        return call("GET", path or self.path, person or self.person, query=self.query | query)

    def pages(self, limit: int) -> list[list[Any]]:
        """All pages from the start, by following `next`."""
        found: list[list[Any]] = []
        at: dict[str, str] = {}
        while True:
            body = self.page(limit=str(limit), **at).body
            found.append(body["items"])
            if "next" not in body:
                return found
            at = {self.follow: body["next"]}
            assert len(found) <= self.count, "the pages have no end"


ALL: dict[str, Callable[[CardWorld], Listing]] = {
    name: made
    for path in sorted(pathlib.Path(__file__).parent.glob("*/listings.py"))
    for name, made in importlib.import_module(f"tests.steps.{path.parent.name}.listings").LISTINGS.items()
}
