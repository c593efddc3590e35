"""Set the payment PIN, or change it with the current one.

Trigger   PUT /v1/pin                        (user)
Reads     user
Writes    user, outbox                       (one transaction)
Answers   204; 403 the current PIN is wrong or locked; 422 the PIN is too obvious
Again     setting the same PIN again needs the current one and changes nothing but its salt
May       people BatchGetItem UpdateItem; outbox PutItem
Runs      1024 MiB (a PIN's hash takes a core for 22 to 30 ms, and Lambda gives CPU with memory)
"""

from billfold import people
from billfold.errors import Invalid
from billfold.people import PinVerification, people_rows, pins
from billfold.tables.commits import Commit
from billfold.tables.rows import fetch
from billfold.triggers import http, wire


class SetPin(wire.Body, frozen=True):
    pin: wire.Pin
    current_pin: wire.Pin | None = None


@http.step(body=SetPin)
def handler(request: http.Request[SetPin]) -> http.Answer:
    people.check_pin_strength(request.body.pin)
    user = people.check_active(fetch(people_rows.user(request.caller)))

    wrong = None
    after = people.after_right_pin(user.pin, pins.hashed(request.body.pin))
    if user.pin.hash:
        if request.body.current_pin is None:
            raise Invalid("a PIN is set: name it as current_pin to change it", "/current_pin")
        wrong = PinVerification(request.body.current_pin).verify(user.pin, request.now, pins.matches)
        after = wrong[0] if wrong else after

    with Commit(request.request_id) as commit:
        if wrong:
            people_rows.count_try(commit, user, after, request.now)
        else:
            people_rows.change_pin(commit, user, after, request.now)

    if wrong:
        raise wrong[1]
    return http.Answer(204)
