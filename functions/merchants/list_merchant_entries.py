"""Show a merchant's statement to its administrator, newest or oldest first.

Trigger   GET /v1/merchants/{merchant}/entries   (user)
Reads     user, statement entries of one currency
Writes    nothing
Answers   200 a page of entries of `?currency=`; 404 not the caller's merchant
Again     reading changes nothing
May       people BatchGetItem; statements Query
"""

from dataclasses import replace
from typing import Any

from billfold import ledger
from billfold.errors import NotFound
from billfold.ledger import ledger_wire, statement_rows
from billfold.people import people_rows
from billfold.tables.rows import fetch
from billfold.triggers import http, lists, wire

CURRENCY = replace(wire.CURRENCY, default="USD")


@http.step(answers=list[ledger_wire.EntryAnswer], query=(*lists.PAGED, lists.ORDER, CURRENCY))
def handler(request: http.Request[Any]) -> http.Answer:
    merchant_id = request.parameters["merchant"]
    sales = ledger.sales(merchant_id, CURRENCY.of(request.query))
    limit, after = lists.limit(request), lists.position(request)
    newest_first = lists.ORDER.of(request.query) == "newest"
    user = fetch(people_rows.user(request.caller))

    if user is None or merchant_id not in user.merchants:
        raise NotFound()
    entries = statement_rows.page(sales, after=after, newest_first=newest_first, limit=limit + 1)

    return lists.answer(
        request, entries, lambda entry: ledger_wire.entry(entry, sales.currency), lambda entry: entry.position
    )
