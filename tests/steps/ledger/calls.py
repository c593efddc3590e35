"""Calls of wallets and transfers."""

from tests.steps.callers import NEW, Call, everyone, owners
from tests.world import PIN


def sent(town, person):
    """A cent to somebody else."""
    other = town.people["stranger"]
    return {
        "to": (other if person != other else town.owner).user_id,
        "amount": {"amount": 1, "currency": "USD"},
        "reason": "lunch",
        "pin": PIN,
    }


CALLS = [
    Call("GET /v1/wallets", everyone("200")),
    Call("GET /v1/wallets/{currency}/entries", everyone("200"), path=lambda town: {"currency": "USD"}),
    Call("POST /v1/transfers", everyone("201", operations=NEW), body=sent),
    Call(
        "GET /v1/transfers/{transfer}",
        owners("200", admin="200"),
        path=lambda town: {"transfer": town.settled["transfer"]},
    ),
]
