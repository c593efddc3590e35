"""A town for the tests that put every route through the same: its people, their things, and one call of each route."""

import itertools
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import time_machine

from infra.plan import tables
from tests import world
from tests.cloud.engine import Engine
from tests.world import PIN, Person, Response, Seller, call, card_world
from tests.world.card_world import CODE, CardWorld

TABLES = [table.name for table in tables.of_stage(sandbox=False)]
_numbers = itertools.count(1)


@dataclass
class Town:
    """The people of the table, and one of each thing that belongs to the owner or the merchant."""

    people: dict[str, Person | None]
    shop: Seller
    open_bill: str
    open_item: str
    closed: Any
    settled: Any
    idle_phone: str
    spare_terminal: str
    photo: str
    cards: CardWorld
    card: str
    challenged: str
    top_up: str

    @property
    def owner(self) -> Person:
        owner = self.people["owner"]
        assert owner is not None
        return owner


def built(stranger: Person, shop: Seller, rival: Seller, cards: CardWorld) -> Town:
    """A new owner with a paid bill, one to verify and an open one, and two cards, among people who are there already."""
    owner = world.joined()
    world.fund(owner, 100_000)
    tablet, idle = world.joined(Person(owner.sub), pin=None), world.joined(Person(owner.sub), pin=None)
    settled = world.settled(owner, (shop.tills[0], 300))
    closed = world.to_verify(owner, (shop.tills[0], 300))
    open_bill = world.opened(owner)
    item = world.tap(owner, open_bill, [shop.tills[0].item(open_bill, [("tea", 1, 150)])]).body["results"][0]["item"]
    people = {
        "nobody": None,
        "stranger": stranger,
        "tablet": tablet,
        "admin": shop.admin,
        "rival": rival.admin,
        "operations": Person(groups=("operations",)),
        "owner": owner,
    }
    body = {"merchant": shop.merchant, "public_key": world.Till().public_key}
    spare = call("POST", "/v1/terminals", shop.admin, body).body["id"]
    photo = call("POST", "/v1/card-photos", owner, {"content_type": "image/jpeg"}).body["id"]
    _, card = cards.active(person=owner, rest=next(_numbers))
    top_up = cards.top_up(owner, card).body["id"]
    challenged = challenge(owner, cards)
    phone = idle.phone.device_id
    return Town(people, shop, open_bill, item, closed, settled, phone, spare, photo, cards, card, challenged, top_up)


def challenge(owner: Person, cards: CardWorld) -> str:
    """Another card, whose code was sent so long ago that it can be sent again."""
    with time_machine.travel(datetime.now(UTC) - timedelta(minutes=2), tick=True):
        return cards.challenged(person=owner, rest=next(_numbers))[1]


def signed_by_terminal(town: Town) -> dict[str, Any]:
    """A batch of one item for the open bill."""
    return {"items": [town.shop.tills[1].item(town.open_bill, [("cake", 1, 400)])]}


# What each route's caller sends: path parameters, body and query.
Sent = tuple[dict[str, str], Any, dict[str, str] | None]
CALLS: dict[str, Callable[[Town, Person | None], Sent]] = {
    "GET /v1/health": lambda town, who: ({}, None, None),
    "GET /v1/openapi.json": lambda town, who: ({}, None, None),
    "POST /v1/devices": lambda town, who: ({}, {"name": "new", "jwk": world.Phone().jwk}, None),
    "GET /v1/devices": lambda town, who: ({}, None, None),
    "DELETE /v1/devices/{device}": lambda town, who: ({"device": town.idle_phone}, None, None),
    "PUT /v1/pin": lambda town, who: ({}, {"pin": PIN, "current_pin": PIN}, None),
    "GET /v1/wallets": lambda town, who: ({}, None, None),
    "GET /v1/wallets/{currency}/entries": lambda town, who: ({"currency": "USD"}, None, None),
    "POST /v1/transfers": lambda town, who: (
        {},
        {
            "to": (town.people["stranger"] if who != town.people["stranger"] else town.owner).user_id,
            "amount": {"amount": 1, "currency": "USD"},
            "reason": "lunch",
            "pin": PIN,
        },
        None,
    ),
    "GET /v1/transfers/{transfer}": lambda town, who: ({"transfer": town.settled["transfer"]}, None, None),
    "POST /v1/bills": lambda town, who: ({}, {"device": town.owner.phone.device_id, "currency": "USD"}, None),
    "GET /v1/bills": lambda town, who: ({}, None, None),
    "GET /v1/bills/{bill}": lambda town, who: ({"bill": town.open_bill}, None, None),
    "POST /v1/bills/{bill}/items": lambda town, who: ({"bill": town.open_bill}, signed_by_terminal(town), None),
    "DELETE /v1/bills/{bill}/items/{item}": lambda town, who: (
        {"bill": town.open_bill, "item": town.open_item},
        None,
        None,
    ),
    "POST /v1/bills/{bill}/items/{item}/dispute": lambda town, who: (
        {"bill": town.open_bill, "item": town.open_item},
        None,
        None,
    ),
    "POST /v1/bills/{bill}/close": lambda town, who: ({"bill": town.open_bill}, None, None),
    "POST /v1/bills/{bill}/verification": lambda town, who: (
        {"bill": town.closed["id"]},
        {"list_hash": town.closed["verification"]["list_hash"], "pin": PIN},
        None,
    ),
    "POST /v1/bills/{bill}/refunds": lambda town, who: (
        {"bill": town.settled["id"]},
        {"items": [town.settled["items"][0]["id"]], "reason": "broken"},
        None,
    ),
    "POST /v1/card-photos": lambda town, who: ({}, {"content_type": "image/png"}, None),
    "GET /v1/card-photos/{photo}": lambda town, who: ({"photo": town.photo}, None, None),
    "POST /v1/merchants": lambda town, who: ({}, {"name": "New shop"}, None),
    "GET /v1/merchants/{merchant}": lambda town, who: ({"merchant": town.shop.merchant}, None, None),
    "GET /v1/merchants/{merchant}/entries": lambda town, who: ({"merchant": town.shop.merchant}, None, None),
    "GET /v1/merchants/{merchant}/terminals": lambda town, who: ({"merchant": town.shop.merchant}, None, None),
    "POST /v1/terminals": lambda town, who: (
        {},
        {"merchant": town.shop.merchant, "public_key": world.Till().public_key},
        None,
    ),
    "DELETE /v1/terminals/{terminal}": lambda town, who: ({"terminal": town.spare_terminal}, None, None),
    "POST /v1/cards": lambda town, who: (
        {},
        card_world.submission(card_world.number("approved", next(_numbers))),
        None,
    ),
    "GET /v1/cards": lambda town, who: ({}, None, None),
    "GET /v1/cards/{card}": lambda town, who: ({"card": town.card}, None, None),
    "DELETE /v1/cards/{card}": lambda town, who: ({"card": town.challenged}, {"pin": PIN}, None),
    "POST /v1/cards/{card}/challenge": lambda town, who: ({"card": town.challenged}, {"code": CODE}, None),
    "POST /v1/cards/{card}/challenge/resend": lambda town, who: ({"card": town.challenged}, None, None),
    "POST /v1/cards/{card}/challenge/page": lambda town, who: ({"card": town.challenged}, None, None),
    "POST /v1/banks/{bank}/callbacks": lambda town, who: ({"bank": "sandbox"}, {"kind": "payment"}, None),
    "POST /v1/top-ups": lambda town, who: (
        {},
        {"card": town.card, "amount": {"amount": 100, "currency": "USD"}},
        None,
    ),
    "GET /v1/top-ups/{top_up}": lambda town, who: ({"top_up": town.top_up}, None, None),
    "GET /v1/events": lambda town, who: ({}, None, None),
    "GET /v1/events?merchant": lambda town, who: ({}, None, {"merchant": town.shop.merchant}),
}


def ask(route: str, town: Town, who: str, unknown: bool = False, **options: Any) -> Response:
    """Make the route's call as one of the people, with a proof by that person's own phone.

    With `unknown`, everything that names a resource names one of that kind which never was.
    """

    def swapped(named: dict[str, Any] | None) -> dict[str, Any] | None:
        names = ("device", "bill", "item", "transfer", "merchant", "terminal", "photo", "card", "top_up")
        return named and {name: never_was(value) if name in names else value for name, value in named.items()}

    person = town.people[who]
    method, _, resource = route.partition("?")[0].partition(" ")
    parameters, body, query = CALLS[route](town, person)
    if unknown:
        parameters, body, query = swapped(parameters) or {}, swapped(body), swapped(query)
    return call(
        method, resource.format(**parameters), person, body, query=query, phone=person.phone if person else None
    )


def never_was(one: str) -> str:
    """An id of the same kind that nobody was ever given."""
    return one[:4] + "0" * (len(one) - 4)


def renew(town: Town) -> None:
    """Another idle phone, another item and another challenge, for a deed that can be done to each only once."""
    town.idle_phone = world.joined(Person(town.owner.sub), pin=None).phone.device_id
    landed = world.tap(town.owner, town.open_bill, signed_by_terminal(town)["items"]).body["results"]
    town.open_item = landed[0].get("item", town.open_item)
    awaited = town.cards.seen(town.owner, town.challenged).get("challenge", {})
    if (awaited.get("tries_left"), awaited.get("resends_left")) != (5, 3):
        town.challenged = challenge(town.owner, town.cards)


def everything(store: Engine) -> list[str]:
    """Every row of every table, to see whether anything changed."""
    return sorted(json.dumps(row, sort_keys=True, default=str) for table in TABLES for row in store.rows(table))


def entitled(route: str) -> str:
    """Who may do it: the merchant's administrator what is the merchant's, the owner all else."""
    sellers = ("/refunds", "/merchants", "/terminals", "/terminals/{terminal}", "/items/{item}")
    return "admin" if route.endswith(sellers) or "/merchants/" in route else "owner"
