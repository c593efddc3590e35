"""Calls that anyone may make."""

from tests.steps.callers import Call, anyone

CALLS = [
    Call("GET /v1/health", anyone("200")),
    Call("GET /v1/openapi.json", anyone("200")),
]
