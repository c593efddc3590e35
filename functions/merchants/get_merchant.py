"""Show a merchant and its takings to its administrator.

Trigger   GET /v1/merchants/{merchant}       (user)
Reads     merchant, balance lanes of one currency
Writes    nothing
Answers   200 the merchant, with `balance` when `?currency=` asks for it; 404 not the caller's
Again     reading changes nothing
May       merchants BatchGetItem; ledger BatchGetItem
"""

from typing import Any

from billfold import ledger
from billfold.errors import NotFound
from billfold.ledger import ledger_rows
from billfold.merchants import merchant_rows
from billfold.tables.rows import NOTHING, fetch
from billfold.triggers import http, wire


class MerchantView(wire.View, frozen=True):
    id: str
    name: str
    admin: str
    balance: wire.Total | None = None


@http.step(answers=MerchantView, query=(wire.CURRENCY,))
def handler(request: http.Request[Any]) -> http.Answer:
    merchant_id, currency = request.parameters["merchant"], wire.CURRENCY.of(request.query)
    sales = ledger.sales(merchant_id, currency) if currency else None
    merchant, balance = fetch(
        merchant_rows.merchant(merchant_id),
        ledger_rows.balance(sales) if sales else NOTHING,
    )

    if merchant is None or merchant.admin != request.caller:
        raise NotFound()

    total = wire.Total(balance.posted, currency) if balance else None
    return http.Answer(200, MerchantView(merchant.merchant_id, merchant.name, merchant.admin, total))
