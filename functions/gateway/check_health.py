"""Say that the stage answers.

Trigger   GET /v1/health                     (anyone)
Reads     nothing
Writes    nothing
Answers   200 {"status": "ok"}
Again     reading changes nothing
May       nothing
"""

from typing import Any

from billfold.triggers import http, wire


class Health(wire.View, frozen=True):
    status: str


@http.step(answers=Health, open_to_all=True)
def handler(request: http.Request[Any]) -> http.Answer:
    return http.Answer(200, Health("ok"))
