"""Saying that the stage answers."""

from tests.world import call


def test_anyone_hears_that_the_stage_answers():
    """No sign-in, no table."""
    answer = call("GET", "/v1/health")
    assert (answer.status, answer.body) == (200, {"status": "ok"})


def test_every_answer_carries_its_request_id_and_is_not_kept():
    """So that a customer's question finds its log line."""
    answer = call("GET", "/v1/health")
    assert answer.headers["Request-Id"]
    assert answer.headers["Cache-Control"] == "no-store"
