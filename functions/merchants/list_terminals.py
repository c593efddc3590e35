"""List a merchant's terminals.

Trigger   GET /v1/merchants/{merchant}/terminals   (user)
Reads     user, terminals
Writes    nothing
Answers   200 a page of terminals; 404 not the caller's merchant
Again     reading changes nothing
May       people BatchGetItem; merchants BatchGetItem Query:by_merchant
"""

from typing import Any

from billfold.errors import NotFound
from billfold.merchants import merchant_rows, merchant_wire
from billfold.people import people_rows
from billfold.tables.rows import fetch
from billfold.triggers import http, lists


@http.step(answers=list[merchant_wire.TerminalAnswer], query=lists.PAGED)
def handler(request: http.Request[Any]) -> http.Answer:
    merchant_id = request.parameters["merchant"]
    limit, after = lists.limit(request), lists.position(request)
    user = fetch(people_rows.user(request.caller))

    if user is None or merchant_id not in user.merchants:
        raise NotFound()
    terminals = merchant_rows.terminals_of(merchant_id, after=after, limit=limit + 1)

    return lists.answer(request, terminals, merchant_wire.terminal, lambda terminal: terminal.terminal_id)
