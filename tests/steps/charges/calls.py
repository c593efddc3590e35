"""Calls of top-ups."""

from tests.cloud import delivery
from tests.steps.callers import NEW, Call, owners
from tests.steps.cards import calls as cards
from tests.world import STEPS

CALLS = [
    Call(
        "POST /v1/top-ups",
        owners("202", operations=NEW),
        body=lambda town, person: {"card": town.card, "amount": {"amount": 100, "currency": "USD"}},
        own_first=True,
    ),
    Call("GET /v1/top-ups/{top_up}", owners("200"), path=lambda town: {"top_up": town.top_up}),
]


def furnish(town):
    """A top-up by the owner's card."""
    town.furnish(cards)
    town.top_up = town.cards.top_up(town.owner, town.card).body["id"]


def move_on(town):
    """All charges are settled."""
    heads = [row for row in town.cards.engine.rows("charges") if row.get("state", {}).get("S") == "settling"]
    STEPS["settle_charge"].handler(delivery.sqs_event(sorted({row["pk"]["S"] for row in heads})), None)
