"""List the caller's phones.

Trigger   GET /v1/devices                    (user)
Reads     user's devices
Writes    nothing
Answers   200 a page of devices
Again     reading changes nothing
May       people Query
"""

from typing import Any

from billfold.clock import to_text
from billfold.people import Device, people_rows
from billfold.triggers import http, lists, wire


class ListedDevice(wire.View, frozen=True):
    id: str
    name: str
    thumbprint: str
    registered_at: str
    bill: str | None = None


@http.step(answers=list[ListedDevice], query=lists.PAGED)
def handler(request: http.Request[Any]) -> http.Answer:
    limit, after = lists.limit(request), lists.position(request)

    devices = list(people_rows.devices(request.caller, after=after, limit=limit + 1))

    return lists.answer(request, devices, lambda device: _show(device, request.now), lambda device: device.device_id)


def _show(device: Device, now: int) -> ListedDevice:
    bill = device.bill if device.bill_until > now else None
    return ListedDevice(device.device_id, device.name, device.thumbprint, to_text(device.registered_at), bill)
