"""Calls of phones and PINs."""

from tests import world
from tests.steps.callers import NEW, Call, everyone, owners
from tests.world import PIN, Person

CALLS = [
    Call(
        "POST /v1/devices",
        everyone("201"),
        body=lambda town, person: {"name": "new", "jwk": world.Phone().jwk},
        protective=True,
    ),
    Call("GET /v1/devices", everyone("200")),
    Call(
        "DELETE /v1/devices/{device}",
        owners("204"),
        path=lambda town: {"device": town.idle_phone},
        protective=True,
    ),
    Call("PUT /v1/pin", everyone("204", operations=NEW), body=lambda town, person: {"pin": PIN, "current_pin": PIN}),
]


def furnish(town):
    """A phone of the owner that does nothing."""
    town.idle_phone = world.joined(Person(town.owner.sub), pin=None).phone.device_id


renew = furnish
