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
    "POST /v1/cards/{card}/challenge/page":         (NO_ONE, HIDDEN,  TABLET, HIDDEN, HIDDEN, HIDDEN,             "200"),
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


def check_hidden(route: str, town, who: str) -> None:
    """The same status, body and headers as for what never was, apart from the request's id."""
    hidden, unknown = ask(route, town, who), ask(route, town, who, unknown=True)
    for answer in (hidden, unknown):
        answer.body.pop("instance")
        answer.headers.pop("Request-Id")
    assert (route, hidden.status, json.dumps(hidden.body), hidden.headers) == (
        route,
        unknown.status,
        json.dumps(unknown.body),
        unknown.headers,
    )


@pytest.mark.parametrize("route", HIDING)
def test_anothers_resource_is_answered_exactly_like_an_unknown_one(village, route):
    """XX-05: on every route, to everybody whose it is not."""
    for who in (who for who, cell in zip(WHO, TABLE[route], strict=True) if cell == HIDDEN):
        check_hidden(route, village, who)


@pytest.mark.parametrize("route", [route for route in TABLE if route.startswith(("POST", "PUT", "DELETE"))])
def test_who_is_refused_leaves_nothing_behind(store, village, route):
    """XX-05: no row changes for anyone who may not."""
    refused = [who for who, cell in zip(WHO, TABLE[route], strict=True) if cell[0] != "2"]
    before = everything(store)
    for who in refused:
        assert ask(route, village, who).status >= 400
    assert everything(store) == before


# What protects, suspended people may still do (docs/decisions.md, 15); what they may not is refused with one code.
PROTECTIVE = {"POST /v1/devices", "DELETE /v1/devices/{device}", "DELETE /v1/terminals/{terminal}"}
SUSPENDED = "403/user_suspended"
# Their path names nothing, and what the body names is looked for among the caller's own: known or not, there is one answer.
ACTS_FIRST = {"POST /v1/bills", "POST /v1/top-ups"}


def when_suspended(route: str, cell: str) -> str:
    """What a caller hears once suspended: what reads stays, what is not theirs still does not exist, nothing else is done."""
    writes = not route.startswith("GET") and route not in PROTECTIVE
    return SUSPENDED if writes and (cell[0] == "2" or route in ACTS_FIRST) else cell


@pytest.mark.parametrize("who", ["stranger", "rival", "admin", "owner"])
def test_the_suspended_hear_what_everybody_hears_of_what_is_not_theirs(store, town, who):
    """VB-01, XX-05: on every route, from the next request on; found and own comes before active, and nothing is written."""
    person = town.people[who]
    expected = {route: when_suspended(route, cells[WHO.index(who)]) for route, cells in TABLE.items()}
    world.suspend(person)
    try:
        before = everything(store)
        answers = {route: ask(route, town, who) for route in TABLE if route not in PROTECTIVE}
        assert everything(store) == before
        answers |= {route: ask(route, town, who) for route in PROTECTIVE}
        got = {route: f"{answer.status}/{answer.code}".rstrip("/") for route, answer in answers.items()}
        assert got == expected
    finally:
        world.resume(person)


@pytest.mark.parametrize("who", ["stranger", "rival"])
def test_a_suspended_stranger_cannot_tell_real_from_unknown_either(village, who):
    """XX-05: whether the refusal speaks of the caller or of the thing, it is the same for a thing that never was."""
    world.suspend(village.people[who])
    try:
        for route in HIDING:
            check_hidden(route, village, who)
    finally:
        world.resume(village.people[who])
