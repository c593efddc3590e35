"""Calls of cards: one that is active, and one whose code was sent."""

import itertools
from datetime import UTC, datetime, timedelta

import time_machine

from tests.steps.callers import NEW, TABLET, Call, anyone, everyone, owners
from tests.world import PIN, card_world
from tests.world.card_world import CODE

_numbers = itertools.count(1)


def challenged(town):
    return {"card": town.challenged}


CALLS = [
    Call(
        "POST /v1/cards",
        everyone("201", operations=NEW),
        body=lambda town, person: card_world.submission(card_world.number("approved", next(_numbers))),
    ),
    Call("GET /v1/cards", everyone("200")),
    Call("GET /v1/cards/{card}", owners("200"), path=lambda town: {"card": town.card}),
    Call("DELETE /v1/cards/{card}", owners("204"), path=challenged, body=lambda town, person: {"pin": PIN}),
    Call("POST /v1/cards/{card}/challenge", owners("200"), path=challenged, body=lambda town, person: {"code": CODE}),
    Call("POST /v1/cards/{card}/challenge/resend", owners("200"), path=challenged),
    Call("POST /v1/cards/{card}/challenge/page", owners("200", tablet=TABLET), path=challenged),
    # Open to anyone, and good for nobody who cannot sign as the bank.
    Call(
        "POST /v1/banks/{bank}/callbacks",
        anyone("401/callback_refused"),
        path=lambda town: {"bank": "sandbox"},
        body=lambda town, person: {"kind": "payment"},
    ),
]


def furnish(town):
    """Both cards."""
    _, town.card = town.cards.active(person=town.owner, rest=next(_numbers))
    town.challenged = challenge(town)


def challenge(town):
    """Another card, whose code was sent so long ago that it can be sent again."""
    with time_machine.travel(datetime.now(UTC) - timedelta(minutes=2), tick=True):
        return town.cards.challenged(person=town.owner, rest=next(_numbers))[1]


def renew(town):
    """Another code, if that of the card was tried or sent again."""
    awaited = town.cards.seen(town.owner, town.challenged).get("challenge", {})
    if (awaited.get("tries_left"), awaited.get("resends_left")) != (5, 3):
        town.challenged = challenge(town)


def move_on(town):
    """The card whose code was sent is active."""
    town.cards.work("activate_card", town.challenged)
