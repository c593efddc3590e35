"""Show a top-up to its owner.

Trigger   GET /v1/top-ups/{top_up}           (user)
Reads     charge
Writes    nothing
Answers   200 the top-up; 404 unknown, or another's
Again     reading changes nothing
May       charges Query
"""

from typing import Any

from billfold.charges import charge_rows, charge_wire
from billfold.errors import NotFound
from billfold.triggers import http


@http.step(answers=charge_wire.TopUpAnswer)
def handler(request: http.Request[Any]) -> http.Answer:
    charge = charge_rows.load(request.parameters["top_up"]).present
    if charge.owner != request.caller or charge.purpose != "top_up":
        raise NotFound()

    return http.Answer(200, charge_wire.top_up(charge))
