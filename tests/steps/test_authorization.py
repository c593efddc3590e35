"""Who may do what: every route × every kind of caller, in one table (XX-05, VB-01, VB-02).

    nobody      without a token
    stranger    another user, with a phone, a PIN and money of their own
    tablet      the owner, from another registered phone
    admin       the administrator of the merchant whose items are concerned
    rival       the administrator of another merchant
    operations  the operations group; they see nothing of anybody's either
    owner       whose bill, phone, wallet or transfer it is

A cell is a status, and after a slash the refusal's code. A route of `app.py` that is not in the table fails.
"""

import json

import pytest

from tests import world
from tests.steps.town import CALLS, ask, everything, renew
from tests.world import ROUTES

WHO = ("nobody", "stranger", "tablet", "admin", "rival", "operations", "owner")
NO_ONE = "401/unauthenticated"
HIDDEN = "404/not_found"
NO_ROLE = "403/forbidden"
FORGED = "401/callback_refused"
TABLET = "403/device_mismatch"
# fmt: off
TABLE = {
    # route                                          nobody  stranger tablet  admin   rival   operations          owner
    "GET /v1/health":                               ("200",  "200",   "200",  "200",  "200",  "200",              "200"),
    "GET /v1/openapi.json":                         ("200",  "200",   "200",  "200",  "200",  "200",              "200"),
    "POST /v1/devices":                             (NO_ONE, "201",   "201",  "201",  "201",  "201",              "201"),
    "GET /v1/devices":                              (NO_ONE, "200",   "200",  "200",  "200",  "200",              "200"),
    "DELETE /v1/devices/{device}":                  (NO_ONE, HIDDEN,  "204",  HIDDEN, HIDDEN, HIDDEN,             "204"),
    "PUT /v1/pin":                                  (NO_ONE, "204",   "204",  "204",  "204",  "403/user_unknown", "204"),
    "GET /v1/wallets":                              (NO_ONE, "200",   "200",  "200",  "200",  "200",              "200"),
    "GET /v1/wallets/{currency}/entries":           (NO_ONE, "200",   "200",  "200",  "200",  "200",              "200"),
    "POST /v1/transfers":                           (NO_ONE, "201",   "201",  "201",  "201",  "403/user_unknown", "201"),
    "GET /v1/transfers/{transfer}":                 (NO_ONE, HIDDEN,  "200",  "200",  HIDDEN, HIDDEN,             "200"),
    "POST /v1/bills":                               (NO_ONE, HIDDEN,  "200",  HIDDEN, HIDDEN, "403/user_unknown", "200"),
    "GET /v1/bills":                                (NO_ONE, "200",   "200",  "200",  "200",  "200",              "200"),
    "GET /v1/bills/{bill}":                         (NO_ONE, HIDDEN,  "200",  "200",  HIDDEN, HIDDEN,             "200"),
    "POST /v1/bills/{bill}/items":                  (NO_ONE, HIDDEN,  TABLET, HIDDEN, HIDDEN, HIDDEN,             "200"),
    "DELETE /v1/bills/{bill}/items/{item}":         (NO_ONE, HIDDEN,  HIDDEN, "200",  HIDDEN, HIDDEN,             HIDDEN),
    "POST /v1/bills/{bill}/items/{item}/dispute":   (NO_ONE, HIDDEN,  "200",  HIDDEN, HIDDEN, HIDDEN,             "200"),
    "POST /v1/bills/{bill}/close":                  (NO_ONE, HIDDEN,  TABLET, HIDDEN, HIDDEN, HIDDEN,             "200"),
    "POST /v1/bills/{bill}/verification":           (NO_ONE, HIDDEN,  TABLET, HIDDEN, HIDDEN, HIDDEN,             "200"),
    "POST /v1/bills/{bill}/refunds":                (NO_ONE, HIDDEN,  HIDDEN, "201",  HIDDEN, HIDDEN,             HIDDEN),
    "POST /v1/card-photos":                         (NO_ONE, "201",   "201",  "201",  "201",  "403/user_unknown", "201"),
    "GET /v1/card-photos/{photo}":                  (NO_ONE, HIDDEN,  "200",  HIDDEN, HIDDEN, HIDDEN,             "200"),
    "POST /v1/merchants":                           (NO_ONE, NO_ROLE, NO_ROLE, "201",  "201",  HIDDEN,             NO_ROLE),
    "GET /v1/merchants/{merchant}":                 (NO_ONE, HIDDEN,  HIDDEN, "200",  HIDDEN, HIDDEN,             HIDDEN),
    "GET /v1/merchants/{merchant}/entries":         (NO_ONE, HIDDEN,  HIDDEN, "200",  HIDDEN, HIDDEN,             HIDDEN),
    "GET /v1/merchants/{merchant}/terminals":       (NO_ONE, HIDDEN,  HIDDEN, "200",  HIDDEN, HIDDEN,             HIDDEN),
    "POST /v1/terminals":                           (NO_ONE, HIDDEN,  HIDDEN, "201",  HIDDEN, HIDDEN,             HIDDEN),
    "DELETE /v1/terminals/{terminal}":              (NO_ONE, HIDDEN,  HIDDEN, "204",  HIDDEN, HIDDEN,             HIDDEN),
    "POST /v1/cards":                               (NO_ONE, "201",   "201",  "201",  "201",  "403/user_unknown", "201"),
    "GET /v1/cards":                                (NO_ONE, "200",   "200",  "200",  "200",  "200",              "200"),
    "GET /v1/cards/{card}":                         (NO_ONE, HIDDEN,  "200",  HIDDEN, HIDDEN, HIDDEN,             "200"),
    "DELETE /v1/cards/{card}":                      (NO_ONE, HIDDEN,  "204",  HIDDEN, HIDDEN, HIDDEN,             "204"),
    "POST /v1/cards/{card}/challenge":              (NO_ONE, HIDDEN,  "200",  HIDDEN, HIDDEN, HIDDEN,             "200"),
    "POST /v1/cards/{card}/challenge/resend":       (NO_ONE, HIDDEN,  "200",  HIDDEN, HIDDEN, HIDDEN,             "200"),
    # Open to anyone, and good for nobody who cannot sign as the bank.
    "POST /v1/banks/{bank}/callbacks":              (FORGED, FORGED,  FORGED, FORGED, FORGED, FORGED,             FORGED),
    "POST /v1/top-ups":                             (NO_ONE, HIDDEN,  "202",  HIDDEN, HIDDEN, "403/user_unknown", "202"),
    "GET /v1/top-ups/{top_up}":                     (NO_ONE, HIDDEN,  "200",  HIDDEN, HIDDEN, HIDDEN,             "200"),
    "GET /v1/events":                               (NO_ONE, "200",   "200",  "200",  "200",  "200",              "200"),
    "GET /v1/events?merchant":                      (NO_ONE, HIDDEN,  HIDDEN, "200",  HIDDEN, HIDDEN,             HIDDEN),
}
# fmt: on


def test_the_table_has_every_route_of_the_map():
    """A route that is missing here fails: nobody adds one without saying who may call it."""
    routes = {f"{method} {path}" for method, path, _, _ in ROUTES}
    assert {route.partition("?")[0] for route in TABLE} == routes
    assert set(CALLS) == set(TABLE)


@pytest.mark.parametrize("route", TABLE)
def test_everybody_is_answered_as_the_table_says(town, route):
    """XX-05: all the refused first, so that none of them finds the deed already done."""
    expected = dict(zip(WHO, TABLE[route], strict=True))
    got = {}
    for who in sorted(WHO, key=lambda one: expected[one][0] == "2"):
        if expected[who][0] == "2":
            renew(town)
        answer = ask(route, town, who)
        got[who] = f"{answer.status}/{answer.code}".rstrip("/")
    assert got == expected


HIDING = [route for route, cells in TABLE.items() if HIDDEN in cells and route != "POST /v1/merchants"]


@pytest.mark.parametrize("route", HIDING)
def test_anothers_resource_is_answered_exactly_like_an_unknown_one(village, route):
    """XX-05: the same status, body and headers, apart from the request's id."""
    for who in (who for who, cell in zip(WHO, TABLE[route], strict=True) if cell == HIDDEN):
        hidden, unknown = ask(route, village, who), ask(route, village, who, unknown="unknown")
        for answer in (hidden, unknown):
            answer.body.pop("instance")
            answer.headers.pop("Request-Id")
        assert (hidden.status, json.dumps(hidden.body), hidden.headers) == (
            unknown.status,
            json.dumps(unknown.body),
            unknown.headers,
        )


@pytest.mark.parametrize("route", [route for route in TABLE if route.startswith(("POST", "PUT", "DELETE"))])
def test_who_is_refused_leaves_nothing_behind(store, village, route):
    """XX-05: no row changes for anyone who may not."""
    refused = [who for who, cell in zip(WHO, TABLE[route], strict=True) if cell[0] != "2"]
    before = everything(store)
    for who in refused:
        assert ask(route, village, who).status >= 400
    assert everything(store) == before


def test_a_suspended_person_writes_nothing(store, town):
    """VB-01: every call with effect on bills, money or the PIN is refused from the next request on."""
    world.suspend(town.owner)
    before = everything(store)
    routes = [route for route, cells in TABLE.items() if route.startswith(("POST", "PUT")) and cells[-1][0] == "2"]
    routes.remove("POST /v1/devices")
    for route in routes:
        assert (route, ask(route, town, "owner").code) == (route, "user_suspended")
    assert everything(store) == before
