"""Show a transfer to its parties.

Trigger   GET /v1/transfers/{transfer}       (user)
Reads     transfer, user
Writes    nothing
Answers   200 the transfer; 404 unknown, or the caller is no party to it
Again     reading changes nothing
May       ledger BatchGetItem; people BatchGetItem
"""

from typing import Any

from billfold.errors import NotFound
from billfold.ledger import ledger_rows, ledger_wire
from billfold.people import people_rows
from billfold.tables.rows import fetch
from billfold.triggers import http


@http.step(answers=ledger_wire.TransferAnswer)
def handler(request: http.Request[Any]) -> http.Answer:
    transfer, user = fetch(ledger_rows.transfer(request.parameters["transfer"]), people_rows.user(request.caller))

    if transfer is None or user is None:
        raise NotFound()
    parties = {request.caller, *user.merchants}
    if not any(leg.account.owner in parties for leg in transfer.legs):
        raise NotFound()

    return http.Answer(200, ledger_wire.transfer(transfer, parties))
