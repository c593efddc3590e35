"""Calls of merchants and their terminals."""

from tests import world
from tests.steps.callers import HIDDEN, NO_ROLE, Call, everyone, sellers
from tests.world import call


def merchant(town):
    return {"merchant": town.shop.merchant}


def terminal(town, person=None):
    """A new terminal of the merchant's."""
    return {"merchant": town.shop.merchant, "public_key": world.Till().public_key}


CALLS = [
    Call(
        "POST /v1/merchants",
        everyone(NO_ROLE, admin="201", rival="201", operations=HIDDEN),
        body=lambda town, person: {"name": "New shop"},
        more={"admin": "usr_" + "0" * 32},
    ),
    Call("GET /v1/merchants/{merchant}", sellers("200"), path=merchant),
    Call("GET /v1/merchants/{merchant}/entries", sellers("200"), path=merchant),
    Call("GET /v1/merchants/{merchant}/terminals", sellers("200"), path=merchant),
    Call("POST /v1/terminals", sellers("201"), body=terminal),
    Call(
        "DELETE /v1/terminals/{terminal}",
        sellers("204"),
        path=lambda town: {"terminal": town.spare_terminal},
        protective=True,
    ),
]


def furnish(town):
    """A terminal that takes no bill's items."""
    town.spare_terminal = call("POST", "/v1/terminals", town.shop.admin, terminal(town)).body["id"]
