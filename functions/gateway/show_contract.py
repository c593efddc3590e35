"""Show the OpenAPI 3.1 contract of this API.

Trigger   GET /v1/openapi.json               (anyone)
Reads     the contract that its package carries
Writes    nothing
Answers   200 the contract
Again     reading changes nothing
May       nothing
Carries   docs/openapi.json
"""

import json
import pathlib
from typing import Any

from billfold.triggers import http

# The package has the project's folders.
CONTRACT = json.loads((pathlib.Path(__file__).parents[2] / "docs/openapi.json").read_text())


@http.step(answers=dict[str, Any], open_to_all=True)
def handler(request: http.Request[Any]) -> http.Answer:
    return http.Answer(200, CONTRACT)
