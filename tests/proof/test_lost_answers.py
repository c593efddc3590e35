"""The real thing for a few: a proxy before the engine drops answers after the commit, and botocore itself tries again."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from billfold.tables import rows
from tests.proof import plays
from tests.proof.counts import success
from tests.proof.ground import check_money
from tests.proof.plays import undisturbed

STEPS = ("post_transfer", "verify_bill", "add_items", "open_bill", "end_bills")


@dataclass
class Proxy:
    """microburst on loopback: between a step and the engine, it follows rules."""

    url: str

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        sent = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}/_microburst/{path}", sent, method=method)
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.loads(answer.read())

    @contextmanager
    def rule(self, **rule: Any) -> Iterator[None]:
        """A rule for what steps send meanwhile; it must have come to bear."""
        address = os.environ["AWS_ENDPOINT_URL_DYNAMODB"]
        os.environ["AWS_ENDPOINT_URL_DYNAMODB"] = self.url
        self.ask("DELETE", "fired")
        self.ask("POST", "rules", [{"service": "dynamodb", "operation": "TransactWriteItems"} | rule])
        yield
        fired = self.ask("GET", "fired")
        self.ask("POST", "rules", [])
        os.environ["AWS_ENDPOINT_URL_DYNAMODB"] = address
        assert len(fired) == rule["times"], fired


@pytest.fixture(scope="module")
def proxy(harness) -> Iterator[Proxy]:
    """A proxy before the engine, ended by its own handle."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = ["-m", "microburst", "--upstream", harness.engine.url, "--host", "127.0.0.1", "--port", str(port)]
    process = subprocess.Popen([sys.executable, *command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        ready = Proxy(f"http://127.0.0.1:{port}")
        for _ in range(200):
            try:
                ready.ask("GET", "rules")
                break
            except OSError:
                time.sleep(0.1)
        # Its first call of a service reads botocore's models for three seconds: longer than a step waits.
        warm_up(ready)
        yield ready
    finally:
        process.kill()
        process.wait(10)


def warm_up(proxy: Proxy) -> None:
    headers = {"X-Amz-Target": "DynamoDB_20120810.ListTables", "Content-Type": "application/x-amz-json-1.0"}
    headers |= {
        "X-Amz-Date": "20260101T000000Z",
        "Authorization": "AWS4-HMAC-SHA256 Credential=test/20260101/eu-west-1/dynamodb/aws4_request, "
        "SignedHeaders=host, Signature=0",
    }
    request = urllib.request.Request(f"{proxy.url}/", b"{}", headers, method="POST")
    with urllib.request.urlopen(request, timeout=30) as answer:
        assert answer.status == 200


@pytest.mark.parametrize("name", STEPS)
def test_an_answer_lost_once_is_asked_for_again_and_nothing_happens_twice(harness, proxy, name: str):
    """LG-04, LG-07: botocore sends the same token again, so the caller never knows."""
    play = plays.play(harness, success(name))
    first, done, _ = undisturbed(play)
    play.rewind()
    with proxy.rule(times=1, response={"abort_frac": 0}):
        outcome = play.arrive()
    assert play.answer(outcome) == play.answer(first)
    left = play.end()
    check_money(left)
    assert play.alike(left) == play.alike(done)


def test_answers_lost_for_good_are_a_503_and_the_retry_hears_of_the_one_effect(harness, proxy):
    """LG-10: after every attempt of botocore's the money has moved once; the client's retry gets the first answer."""
    play = plays.play(harness, success("post_transfer"))
    first, done, _ = undisturbed(play)
    play.rewind()
    attempts = 1 + rows.ATTEMPTS
    with proxy.rule(times=attempts, response={"abort_frac": 0}):
        outcome = play.arrive()
    assert (outcome.status, outcome.body["code"]) == (503, "unavailable")
    assert play.alike(play.end()) == play.alike(done)
    play.check_again(play.arrive(), first)
    left = play.end()
    check_money(left)
    assert play.alike(left) == play.alike(done)


@pytest.mark.parametrize(
    "trouble",
    [{"error": {"code": "ThrottlingException"}}, {"error": {"code": "InternalServerError"}}, {"reset": True}],
    ids=["throttled", "internal error", "reset"],
)
def test_a_passing_trouble_is_not_even_noticed(harness, proxy, trouble: dict[str, Any]):
    """What botocore retries by itself ends in the first answer."""
    play = plays.play(harness, success("post_transfer"))
    first, done, _ = undisturbed(play)
    play.rewind()
    with proxy.rule(times=1, **trouble):
        outcome = play.arrive()
    assert play.answer(outcome) == play.answer(first)
    assert play.alike(play.end()) == play.alike(done)
