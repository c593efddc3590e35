"""Open a virtual bill for a phone.

Trigger   POST /v1/bills                     (user)
Reads     user, device, operation; the device's open bill if there is one
Writes    bill, change, device, operation    (one transaction)
Answers   201 the bill; 200 the one that is already open on this device; 403 unknown or suspended user; 404 unknown device
Again     the same Idempotency-Key gets the first answer; at most one bill is open on a device
May       people BatchGetItem UpdateItem; bills Query PutItem; operations BatchGetItem PutItem
"""

import os
from typing import Annotated

from msgspec import Meta

from billfold import bills, people
from billfold.bills import Bill, bill_openings, bill_rows, bill_wire
from billfold.clock import SECOND
from billfold.errors import NotFound, Stale
from billfold.people import people_rows
from billfold.tables import operation_rows
from billfold.tables.commits import Commit
from billfold.tables.rows import fetch
from billfold.triggers import http, wire

SHORTEST = bills.PERIOD_MIN_SANDBOX if os.environ.get("BILLFOLD_SANDBOX") == "1" else bills.PERIOD_MIN


class OpenBill(wire.Body, frozen=True):
    device: wire.Id
    currency: wire.Currency
    period_seconds: Annotated[int, Meta(ge=1, le=bills.PERIOD_MAX // SECOND)] = bills.PERIOD_DEFAULT // SECOND
    cap: wire.Amount | None = None


@http.step(body=OpenBill, answers=bill_wire.BillAnswer, key=True)
def handler(request: http.Request[OpenBill]) -> http.Answer:
    body, caller, operation = request.body, request.caller, request.operation("opr")
    user, device, done = fetch(
        people_rows.user(caller),
        people_rows.device(caller, body.device),
        operation_rows.operation(operation),
    )
    if done:
        request.check_same(done.request)
        return _answer(
            bill_rows.load(done.body["bill"]).at(done.body["revision"]), done.body["tries_left"], done.status
        )

    user = people.check_active(user)
    if device is None:
        raise NotFound()
    period, cap = body.period_seconds * SECOND, body.cap.amount if body.cap else None
    bill_openings.check(body.currency, body.cap.currency if body.cap else body.currency, period, SHORTEST)
    currency = wire.current_currency(body.currency, "/currency")
    tries_left = people.tries_left(user.pin, request.now)

    with Commit(operation) as commit:
        if device.bill_until > request.now:
            bill, status = bill_rows.load(device.bill).present, 200
            if bill.state != "active":
                raise Stale()
        else:
            opened = bills.open_for(caller, body.device, currency, period=period, cap=cap, now=request.now)
            bill, status = bill_rows.add_opened(commit, request.new_id("bil"), opened), 201
            people_rows.take_device(commit, caller, device, bill.bill_id, bill.expires_at)
        # Which bill, not what is in it: an open bill can be larger than a row.
        shown = {"bill": bill.bill_id, "revision": bill.revision, "tries_left": tries_left}
        operation_rows.record(commit, operation, request.fingerprint, status, shown, request.now)

    return _answer(bill, tries_left, status)


def _answer(bill: Bill, tries_left: int, status: int) -> http.Answer:
    return http.Answer(status, bill_wire.bill(bill, tries_left))
