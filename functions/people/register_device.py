"""Register a phone by its public key.

Trigger   POST /v1/devices                   (user)
Reads     user's devices, operation
Writes    device, user, operation, outbox    (one transaction)
Answers   201 the device; 400 the key is no good point of Ed25519 or P-256; 409 too many devices
Again     the same Idempotency-Key gets the first answer; the same key registered again is the same device
May       people ConditionCheckItem Query PutItem UpdateItem; operations BatchGetItem PutItem;
          outbox PutItem
"""

from typing import Annotated, Any

from msgspec import Meta

from billfold import people
from billfold.people import Device, people_rows
from billfold.people.people_errors import DeviceLimitReached
from billfold.tables import operation_rows
from billfold.tables.commits import Commit
from billfold.tables.rows import fetch
from billfold.triggers import http, public_keys, wire


class RegisterDevice(wire.Body, frozen=True):
    name: wire.Name
    jwk: Annotated[dict[str, Any], Meta(description="public key (RFC 7517): Ed25519 (OKP) or P-256 (EC)")]


class DeviceAnswer(wire.View, frozen=True):
    id: str
    thumbprint: str
    name: str


@http.step(body=RegisterDevice, answers=DeviceAnswer, key=True)
def handler(request: http.Request[RegisterDevice]) -> http.Answer:
    jwk, thumbprint, _ = public_keys.from_jwk(request.body.jwk, "/jwk")
    device = Device(f"dev_{thumbprint}", request.body.name, jwk, thumbprint, request.now)
    operation = request.operation("opr")

    if done := fetch(operation_rows.operation(operation)):
        request.check_same(done.request)
        return http.Answer(done.status, done.body)
    registered = {known.device_id: known for known in people_rows.devices(request.caller)}

    if device.device_id not in registered and len(registered) >= people.MAX_DEVICES:
        raise DeviceLimitReached(limit=people.MAX_DEVICES)
    known = registered.get(device.device_id)
    answer = wire.to_builtins(DeviceAnswer(device.device_id, thumbprint, known.name if known else device.name))

    with Commit(operation) as commit:
        if known:
            people_rows.check_registered(commit, request.caller, known)
        else:
            people_rows.add_device(commit, request.caller, device, request.now)
        operation_rows.record(commit, operation, request.fingerprint, 201, answer, request.now)

    return http.Answer(201, answer)
