"""Who may do what: every route × every kind of caller (XX-05, VB-01, VB-02).

What each caller hears is said with the call, `tests/steps/<workflow>/calls.py`; `tests/steps/callers.py` tells who they are. A
route of `app.py` that is in none of them fails.
"""

import json

import pytest

from tests import world
from tests.steps.callers import HIDDEN, WHO
from tests.steps.town import CALLS, ask, everything, renew
from tests.world import ROUTES


def test_the_table_has_every_route_of_the_map():
    """A route that has no call fails: nobody adds one without saying who may call it."""
    routes = {f"{method} {path}": module.__name__ for method, path, _, module in ROUTES}
    known = {route.partition("?")[0] for route in CALLS}
    absent = {
        f"tests/steps/{module.split('.')[1]}/calls.py: Call({route!r}, …)"
        for route, module in routes.items()
        if route not in known
    }
    assert not absent, f"say who may call it: {sorted(absent)}"
    assert known <= set(routes), "app.py has no such route"


@pytest.mark.parametrize("route", CALLS)
def test_a_call_says_what_each_caller_hears(route):
    """A caller that is misspelt would not be asked."""
    assert set(CALLS[route].answers) == set(WHO)


@pytest.mark.parametrize("route", CALLS)
def test_everybody_is_answered_as_the_table_says(town, route):
    """XX-05: all the refused first, so that none of them finds the deed already done."""
    expected = CALLS[route].answers
    got = {}
    for who in sorted(WHO, key=lambda one: expected[one][0] == "2"):
        if expected[who][0] == "2":
            renew(town)
        answer = ask(route, town, who)
        got[who] = f"{answer.status}/{answer.code}".rstrip("/")
    assert got == expected


# Of `POST /v1/merchants` the caller is unknown, and no resource.
HIDING = [route for route, one in CALLS.items() if HIDDEN in one.answers.values() and route != "POST /v1/merchants"]


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
    for who in (who for who, answer in CALLS[route].answers.items() if answer == HIDDEN):
        check_hidden(route, village, who)


@pytest.mark.parametrize("route", [route for route in CALLS if not route.startswith("GET")])
def test_who_is_refused_leaves_nothing_behind(store, village, route):
    """XX-05: no row changes for anyone who may not."""
    refused = [who for who, answer in CALLS[route].answers.items() if answer[0] != "2"]
    before = everything(store)
    for who in refused:
        assert ask(route, village, who).status >= 400
    assert everything(store) == before


@pytest.mark.parametrize("who", ["stranger", "rival", "admin", "owner"])
def test_the_suspended_hear_what_everybody_hears_of_what_is_not_theirs(store, town, who):
    """VB-01, XX-05: on every route, from the next request on; found and own comes before active, and nothing is written."""
    person = town.people[who]
    expected = {route: one.when_suspended(who) for route, one in CALLS.items()}
    protective = [route for route, one in CALLS.items() if one.protective]
    assert protective
    world.suspend(person)
    try:
        before = everything(store)
        answers = {route: ask(route, town, who) for route in CALLS if route not in protective}
        assert everything(store) == before
        answers |= {route: ask(route, town, who) for route in protective}
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
