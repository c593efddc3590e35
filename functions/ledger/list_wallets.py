"""Show the caller's wallets with their balances.

Trigger   GET /v1/wallets                    (user)
Reads     balances
Writes    nothing
Answers   200 one line per currency that ever held money
Again     reading changes nothing
May       ledger Query
"""

from typing import Any

from billfold.ledger import ledger_rows
from billfold.triggers import http, wire


class Wallet(wire.View, frozen=True):
    """available + held = posted, integers in minor units."""

    currency: str
    posted: int
    held: int
    available: int


@http.step(answers=list[Wallet])
def handler(request: http.Request[Any]) -> http.Answer:
    wallets = ledger_rows.wallets(request.caller)

    shown = [Wallet(currency, balance.posted, balance.held, balance.available) for currency, balance in wallets]
    return http.Answer(200, wire.Page(shown))
