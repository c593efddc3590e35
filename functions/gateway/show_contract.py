"""Show the OpenAPI 3.1 contract of this API.

Trigger   GET /v1/openapi.json               (anyone)
Reads     the contract that is packaged beside the shared code
Writes    nothing
Answers   200 the contract
Again     reading changes nothing
May       nothing
"""

import json
import pathlib
from typing import Any

import billfold
from billfold.triggers import http

CONTRACT = json.loads((pathlib.Path(billfold.__file__).parent / "openapi.json").read_text())


@http.step(answers=dict[str, Any], open_to_all=True)
def handler(request: http.Request[Any]) -> http.Answer:
    return http.Answer(200, CONTRACT)
