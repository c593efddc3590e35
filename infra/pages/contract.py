"""The OpenAPI 3.1 contract, made from what the steps run on: the map, each step's models and header, the tree of refusals.

It is docs/openapi.json, which `show_contract` carries and serves; the table of refusals goes into docs/api.md.
"""

import importlib
import json
import pkgutil
import re
from collections.abc import Iterator
from types import ModuleType
from typing import Any, get_args, get_origin

import msgspec
from msgspec import inspect

import billfold
from billfold import errors
from billfold.errors import Refusal
from billfold.triggers import calls
from infra.pages import Pages
from infra.plan import steps
from infra.plan.stages import ROOT
from infra.plan.steps import Step
from infra.plan.triggers import Route
from infra.templates.gateway import PROBLEMS

FILE = ROOT / "docs/openapi.json"
GUIDE = ROOT / "docs/api.md"
MARKS = ("<!-- refusals -->", "<!-- /refusals -->")
SCHEMAS = "#/components/schemas/"
REQUEST_ID = {"Request-Id": {"$ref": "#/components/headers/Request-Id"}}


def build(known: list[Step]) -> dict[str, Any]:
    """The whole contract of these steps."""
    routed = [(step, step.trigger) for step in known if isinstance(step.trigger, Route)]
    models = [model for step, _ in routed for model in _models(step)]
    _, schemas = msgspec.json.schema_components(models, ref_template=SCHEMAS + "{name}")
    paths: dict[str, Any] = {}
    for step, route in routed:
        paths.setdefault(route.path, {})[route.method.lower()] = _described(step, route)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Billfold",
            "version": "1",
            "summary": "Virtual bills, verified once, paid once",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": paths,
        "components": {
            "schemas": schemas | {"Problem": _problem_schema(), "EventKind": _event_kind_schema()},
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": "the ID token"},
                "device": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "DPoP",
                    "description": "a DPoP proof (RFC 9449) of this call, signed by the bill's own device",
                },
            },
            "parameters": {"Idempotency-Key": _key_parameter()},
            "headers": {"Request-Id": {"schema": {"type": "string"}, "description": "names the log line of this call"}},
            "responses": {"Problem": _answer("Any other refusal", "Problem", "application/problem+json")},
        },
    }


def _handler(step: Step) -> Any:
    return importlib.import_module(f"functions.{step.workflow}.{step.name}").handler


def _models(step: Step) -> Iterator[Any]:
    handler = _handler(step)
    for model in (handler.body, *(get_args(handler.answers) if _is_page(handler) else [handler.answers])):
        if isinstance(model, type) and issubclass(model, msgspec.Struct):
            yield model
            yield from _models_of_values(model)


def _models_of_values(model: type[msgspec.Struct]) -> Iterator[Any]:
    """The models of values that a step checks one by one (`wire.each`). The body's own type does not name them."""
    for field in getattr(inspect.type_info(model), "fields", ()):
        extra = getattr(field.type, "extra", None) or {}
        if "model" in extra:
            yield extra["model"]


def _is_page(handler: Any) -> bool:
    return get_origin(handler.answers) is list


def _described(step: Step, route: Route) -> dict[str, Any]:
    handler = _handler(step)
    described: dict[str, Any] = {
        "operationId": step.name,
        "tags": [step.workflow],
        "summary": step.summary,
        "description": f"Again: {step.header['Again']}.",
        "parameters": [*_path_parameters(handler, route), *_query_parameters(handler)],
        "responses": _responses(step, route),
        "security": [],
    }
    if handler.key:
        described["parameters"].append({"$ref": "#/components/parameters/Idempotency-Key"})
    if route.signed_in:
        described["security"] = [{"token": [], "device": []} if step.verifies_dpop else {"token": []}]
    if handler.body is not None:
        schema = {"$ref": SCHEMAS + handler.body.__name__}
        described["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
    return described


def _path_parameters(handler: Any, route: Route) -> list[dict[str, Any]]:
    declared = {parameter.name: parameter for parameter in handler.path}
    return [
        {"name": name, "in": "path", "required": True, "schema": declared.get(name, calls.ID).schema}
        for name in re.findall(r"\{(\w+)\}", route.path)
    ]


def _query_parameters(handler: Any) -> list[dict[str, Any]]:
    declared = {parameter.name: parameter.schema for parameter in handler.query}
    return [{"name": name, "in": "query", "schema": schema} for name, schema in sorted(declared.items())]


def _responses(step: Step, route: Route) -> dict[str, Any]:
    """One answer for each status that the header names, and a problem for any other."""
    handler = _handler(step)
    said: dict[str, Any] = {}
    for clause in step.header["Answers"].split("; "):
        match = re.match(r"(\d{3})\s*(.*)", clause)
        if match is None:
            status = max(said)
            said[status]["description"] += f"; {clause}"
        elif match[1] < "300":
            said[match[1]] = _success(handler, match[2] or "Done")
        else:
            said[match[1]] = _answer(match[2], "Problem", "application/problem+json")
    if route.signed_in:
        said["401"] = _answer("Not signed in", "Problem", "application/problem+json")
    return said | {"default": {"$ref": "#/components/responses/Problem"}}


def _success(handler: Any, description: str) -> dict[str, Any]:
    if handler.answers is None:
        return {"description": description, "headers": REQUEST_ID}
    if _is_page(handler):
        [shown] = get_args(handler.answers)
        items = {"type": "array", "items": {"$ref": SCHEMAS + shown.__name__}}
        next = {"type": "string", "description": "absent at the end"}
        schema = {"type": "object", "properties": {"items": items, "next": next}, "required": ["items"]}
    elif isinstance(handler.answers, type) and issubclass(handler.answers, msgspec.Struct):
        schema = {"$ref": SCHEMAS + handler.answers.__name__}
    else:
        schema = {"type": "object"}
    return {"description": description, "headers": REQUEST_ID, "content": {"application/json": {"schema": schema}}}


def _answer(description: str, schema: str, media_type: str) -> dict[str, Any]:
    content = {media_type: {"schema": {"$ref": SCHEMAS + schema}}}
    return {"description": description, "headers": REQUEST_ID, "content": content}


def _key_parameter() -> dict[str, Any]:
    return {
        "name": "Idempotency-Key",
        "in": "header",
        "required": True,
        "description": "one per intention, the same for its every repeat; the first answer is kept at least 24 hours",
        "schema": {"type": "string", "pattern": "^[\\x21-\\x7e]{1,255}$"},
    }


def refusals() -> list[type[Refusal]]:
    """Every refusal that can be answered, a family after the other, in each the house's and then each noun's as its module
    lists them; `Refused` itself only heads its family."""
    found: list[type[Refusal]] = []
    modules = [errors, *_modules("_errors")]
    known = [
        one for module in modules for one in vars(module).values() if getattr(one, "__module__", "") == module.__name__
    ]
    for family in (errors.Invalid, errors.Refused, errors.Unavailable):
        found += [
            one for one in known if isinstance(one, type) and issubclass(one, family) and one is not errors.Refused
        ]
    return found


def _modules(suffix: str) -> list[ModuleType]:
    """The nouns' modules of refusals, or of streams: found, so that nothing depends on what happens to be imported."""
    found = pkgutil.walk_packages(billfold.__path__, "billfold.")
    names = sorted(module.name for module in found if module.name.endswith(suffix) and ".banks." not in module.name)
    return [importlib.import_module(name) for name in names]


def _event_kind_schema() -> dict[str, Any]:
    """Every kind of event, as the streams that make events list them."""
    streams = [module for module in _modules("_stream") if hasattr(module, "events_of")]
    return {"type": "string", "enum": sorted({kind for stream in streams for kind in stream.EVENTS.values()})}


def _problem_schema() -> dict[str, Any]:
    codes = [known.code() for known in refusals()]
    codes += sorted({problem["code"] for problem in PROBLEMS.values()} - set(codes))
    texts = ("type", "title", "detail", "operations", "next", "instance")
    return {
        "description": "RFC 9457. Members beyond these tell facts of the refusal, such as what is left or needed.",
        "type": "object",
        "properties": {
            **{name: {"type": "string"} for name in texts},
            "status": {"type": "integer"},
            "code": {"type": "string", "enum": codes},
            "pointer": {"type": "string", "description": "RFC 6901: the place of the fault in the request"},
        },
        "required": ["type", "title", "status", "detail", "code", "operations", "next"],
    }


def table() -> str:
    """The refusals as docs/api.md shows them."""
    lines = ["| code | status | for the user | for operations | next |", "|---|---|---|---|---|"]
    for known in refusals():
        detail = known.user.replace("{", "*").replace("}", "*")
        lines.append(f"| `{known.code()}` | {known.status} | {detail} | {known.operations} | `{known.next}` |")
    return "\n".join(lines)


def text() -> str:
    """The contract as it is committed: one key a line, and the same every time."""
    return json.dumps(build(steps.load()), sort_keys=True, indent=1, ensure_ascii=False) + "\n"


def guide() -> str:
    """docs/api.md with the table of refusals as it is today."""
    start, _, rest = GUIDE.read_text().partition(MARKS[0])
    _, _, end = rest.partition(MARKS[1])
    return f"{start}{MARKS[0]}\n{table()}\n{MARKS[1]}{end}"


def pages() -> Pages:
    """The contract, and the guide with its table of refusals."""
    return {FILE: text(), GUIDE: guide()}
