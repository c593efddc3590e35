"""List the caller's bills, newest first.

Trigger   GET /v1/bills                      (user)
Reads     index of the owner's bills, heads
Writes    nothing
Answers   200 a page of bills without their items; with `?state=` only those, so a page can be short and still have a next
Again     reading changes nothing
May       bills BatchGetItem Query:by_owner
"""

from typing import Any

from billfold import bills
from billfold.bills import bill_rows, bill_wire
from billfold.triggers import calls, http, lists, wire

STATE = calls.choice("state", "", *bills.STATES)


@http.step(answers=list[bill_wire.BillSummary], query=(*lists.PAGED, STATE))
def handler(request: http.Request[Any]) -> http.Answer:
    limit, before = lists.limit(request), lists.position(request)
    state = STATE.of(request.query)

    summaries, position = bill_rows.summaries(request.caller, before=before, limit=limit)

    shown = [bill_wire.summary(bill) for bill in summaries if state in ("", bill.state)]
    return http.Answer(200, wire.Page(shown, lists.cursor(request, position)))
