"""Revoke a terminal: what it signs counts no more from the next request on.

Trigger   DELETE /v1/terminals/{terminal}    (user)
Reads     terminal, user
Writes    terminal, outbox                   (one transaction)
Answers   204; 404 not of the caller's merchants
Again     a second revocation is 204 too; the first instant stays
May       people BatchGetItem; merchants BatchGetItem UpdateItem; outbox PutItem
"""

from typing import Any

from billfold.errors import NotFound
from billfold.merchants import merchant_rows
from billfold.people import people_rows
from billfold.tables.commits import Commit
from billfold.tables.rows import fetch
from billfold.triggers import http


@http.step()
def handler(request: http.Request[Any]) -> http.Answer:
    terminal_id = request.parameters["terminal"]
    terminal, user = fetch(merchant_rows.terminal(terminal_id), people_rows.user(request.caller))

    if terminal is None or user is None or terminal.merchant not in user.merchants:
        raise NotFound()
    if terminal.revoked_at is not None:
        return http.Answer(204)

    with Commit(f"{request.request_id}/{terminal_id}") as commit:
        merchant_rows.revoke_terminal(commit, terminal, request.now)

    return http.Answer(204)
