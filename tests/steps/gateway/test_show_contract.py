"""Showing the OpenAPI contract."""

from tests.world import call


def test_anyone_gets_the_contract():
    """It is packaged beside the shared code; tests/architecture/test_contract.py keeps it true."""
    answer = call("GET", "/v1/openapi.json")
    assert answer.status == 200
    assert answer.body["openapi"].startswith("3.1.")
    assert "/v1/bills/{bill}/verification" in answer.body["paths"]
