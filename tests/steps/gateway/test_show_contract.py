"""Showing the OpenAPI contract."""

from tests.world import call


def test_anyone_gets_the_contract():
    """Its package carries it; tests/architecture/test_written.py keeps it true."""
    answer = call("GET", "/v1/openapi.json")
    assert answer.status == 200
    assert answer.body["openapi"].startswith("3.1.")
    assert "/v1/bills/{bill}/verification" in answer.body["paths"]
