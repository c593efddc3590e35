"""Calls of card photos."""

from tests.steps.callers import NEW, Call, everyone, owners
from tests.world import call

CALLS = [
    Call(
        "POST /v1/card-photos",
        everyone("201", operations=NEW),
        body=lambda town, person: {"content_type": "image/png"},
    ),
    Call("GET /v1/card-photos/{photo}", owners("200"), path=lambda town: {"photo": town.photo}),
]


def furnish(town):
    """A photo of the owner's that is awaited."""
    town.photo = call("POST", "/v1/card-photos", town.owner, {"content_type": "image/jpeg"}).body["id"]
