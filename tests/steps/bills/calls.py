"""Calls of bills: one that is open, one that waits for its verification, and one that is paid."""

from tests import world
from tests.steps.callers import NEW, TABLET, Call, everyone, owners, sellers
from tests.world import PIN


def tapped(town, person=None):
    """A batch of one item for the open bill."""
    return {"items": [town.shop.tills[1].item(town.open_bill, [("cake", 1, 400)])]}


def open_bill(town):
    return {"bill": town.open_bill}


def open_item(town):
    return {"bill": town.open_bill, "item": town.open_item}


CALLS = [
    Call(
        "POST /v1/bills",
        owners("200", operations=NEW),
        body=lambda town, person: {"device": town.owner.phone.device_id, "currency": "USD"},
        more={"cap": {"amount": 900, "currency": "USD"}},
        own_first=True,
    ),
    Call("GET /v1/bills", everyone("200")),
    Call("GET /v1/bills/{bill}", owners("200", admin="200"), path=open_bill),
    Call("POST /v1/bills/{bill}/items", owners("200", tablet=TABLET), path=open_bill, body=tapped),
    Call("DELETE /v1/bills/{bill}/items/{item}", sellers("200"), path=open_item),
    Call("POST /v1/bills/{bill}/items/{item}/dispute", owners("200"), path=open_item),
    Call("POST /v1/bills/{bill}/close", owners("200", tablet=TABLET), path=open_bill),
    Call(
        "POST /v1/bills/{bill}/verification",
        owners("200", tablet=TABLET),
        path=lambda town: {"bill": town.closed["id"]},
        body=lambda town, person: {"list_hash": town.closed["verification"]["list_hash"], "pin": PIN},
    ),
    Call(
        "POST /v1/bills/{bill}/refunds",
        sellers("201"),
        path=lambda town: {"bill": town.settled["id"]},
        body=lambda town, person: {"items": [town.settled["items"][0]["id"]], "reason": "broken"},
    ),
]


def furnish(town):
    """The three bills, one after the other: a phone has one open bill."""
    owner, till = town.owner, town.shop.tills[0]
    town.settled = world.settled(owner, (till, 300))
    town.closed = world.to_verify(owner, (till, 300))
    town.open_bill = world.opened(owner)
    landed = world.tap(owner, town.open_bill, [till.item(town.open_bill, [("tea", 1, 150)])])
    town.open_item = landed.body["results"][0]["item"]


def renew(town):
    """Another item in the open bill, if that is open still."""
    landed = world.tap(town.owner, town.open_bill, tapped(town)["items"]).body["results"]
    town.open_item = landed[0].get("item", town.open_item)


def move_on(town):
    """All that can be refunded is, and all that can be paid."""
    owner, admin = town.owner, town.shop.admin
    world.refund(admin, town.settled["id"], [town.settled["items"][0]["id"]])
    world.verify(owner, town.closed["id"], town.closed["verification"]["list_hash"])
    world.refund(admin, town.closed["id"], [town.closed["items"][0]["id"]])
    closed = world.close(owner, town.open_bill).body
    if "verification" in closed:
        world.verify(owner, town.open_bill, closed["verification"]["list_hash"])
