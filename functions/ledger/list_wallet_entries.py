"""Show a wallet's statement, newest or oldest first.

Trigger   GET /v1/wallets/{currency}/entries (user)
Reads     statement entries
Writes    nothing
Answers   200 a page of entries, which add up to the posted balance; 400 unknown currency
Again     reading changes nothing
May       statements Query
"""

from typing import Any

from billfold import ledger
from billfold.ledger import ledger_wire, statement_rows
from billfold.triggers import http, lists, wire


@http.step(answers=list[ledger_wire.EntryAnswer], path=(wire.CURRENCY,), query=(*lists.PAGED, lists.ORDER))
def handler(request: http.Request[Any]) -> http.Answer:
    wallet = ledger.wallet(request.caller, request.parameters["currency"])
    limit, after = lists.limit(request), lists.position(request)
    newest_first = lists.ORDER.of(request.query) == "newest"

    entries = statement_rows.page(wallet, after=after, newest_first=newest_first, limit=limit + 1)

    return lists.answer(
        request, entries, lambda entry: ledger_wire.entry(entry, wallet.currency), lambda entry: entry.position
    )
