"""Remove a phone: its DPoP proofs count no more.

Trigger   DELETE /v1/devices/{device}        (user)
Reads     device
Writes    device, user, outbox               (one transaction)
Answers   204; 404 not the caller's; 409 a bill is open on it
Again     a second removal is 404; nothing happens twice
May       people BatchGetItem DeleteItem UpdateItem; outbox PutItem
"""

from typing import Any

from billfold.errors import NotFound
from billfold.people import people_rows
from billfold.people.people_errors import DeviceBusy
from billfold.tables.commits import Commit
from billfold.tables.rows import fetch
from billfold.triggers import http


@http.step()
def handler(request: http.Request[Any]) -> http.Answer:
    device_id = request.parameters["device"]
    device = fetch(people_rows.device(request.caller, device_id))

    if device is None:
        raise NotFound()
    if device.bill_until > request.now:
        raise DeviceBusy()

    with Commit(f"{request.request_id}/{device_id}") as commit:
        people_rows.delete_device(commit, request.caller, device_id, request.now)

    return http.Answer(204)
