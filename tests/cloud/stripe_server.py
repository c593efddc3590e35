"""Stripe on loopback: the `localstripe` package in a process of its own, behind a front that adds what it lacks.

localstripe knows neither idempotency keys nor times in lists, and wants a CVV (which Billfold has not). The front replays the
first answer to a key, as Stripe documents, filters by `created` and `customer`, and adds a CVV. It can also lose an answer
after the fact.
"""

import json
import os
import pathlib
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import urllib3

from tests.cloud.local_http import Answer, LocalServer, Received

ROOT = pathlib.Path(__file__).parents[2]
PYTHON = ROOT / ".local/localstripe/bin/python"
# On loopback only (its own command listens everywhere), and without the file in which it keeps its objects.
PROGRAM = """
import sys
from aiohttp import web
from localstripe.resources import store
from localstripe.server import app
store.dump_to_disk = lambda: None
web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), print=None, access_log=None)
"""
SETTING = "BILLFOLD_STRIPE_ADDRESS"


@dataclass
class StripeFront:
    """`lose`: paths whose next answer is lost after the fact. `calls`: method and path of each call that went through."""

    upstream: str
    address: str = ""
    lose: list[str] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    _answers: dict[str, tuple[int, str]] = field(default_factory=dict)

    def answer(self, received: Received) -> Answer:
        headers = {name.lower(): value for name, value in received.headers.items()}
        key = headers.get("idempotency-key", "") if received.method == "POST" else ""
        if key not in self._answers:
            found = self._forward(received, headers)
            if key:
                self._answers[key] = found
        else:
            found = self._answers[key]
        if received.path in self.lose:
            self.lose.remove(received.path)
            return None
        return found

    def _forward(self, received: Received, headers: dict[str, str]) -> tuple[int, str]:
        self.calls.append(f"{received.method} {received.path}")
        body = received.body + ("&card[cvc]=123" if received.path == "/v1/payment_methods" else "")
        filters = {name: value for name, value in received.query.items() if name.startswith(("created", "customer"))}
        query = {name: value for name, value in received.query.items() if name not in filters}
        sent = {"Authorization": headers.get("authorization", ""), "Content-Type": headers.get("content-type", "")}
        answer = (
            urllib3.request(received.method, self.upstream + received.path, fields=query or None, headers=sent)
            if received.method == "GET"
            else urllib3.request(received.method, self.upstream + received.path, body=body, headers=sent)
        )
        text = answer.data.decode()
        return answer.status, _within(json.loads(text), filters) if filters else text


def _within(page: dict[str, Any], filters: dict[str, str]) -> str:
    first, end = int(filters.get("created[gte]", 0)), int(filters.get("created[lt]", 1 << 60))
    found = [one for one in page["data"] if first <= one["created"] < end]
    if customer := filters.get("customer"):
        found = [one for one in found if one["customer"] == customer]
    return json.dumps(page | {"data": found})


@contextmanager
def localstripe() -> Iterator[str]:
    """The address of a localstripe process, ended by its own handle."""
    if not PYTHON.exists():
        raise RuntimeError("localstripe is not installed: run `make install`")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen([str(PYTHON), "-c", PROGRAM, str(port)], stdout=subprocess.DEVNULL)
    try:
        for _ in range(400):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.02)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(10)


@contextmanager
def fronted(upstream: str) -> Iterator[StripeFront]:
    """An empty Stripe, to which Billfold's environment points while it runs."""
    urllib3.request("DELETE", f"{upstream}/_config/data")
    before = os.environ.get(SETTING)
    front = StripeFront(upstream)
    with LocalServer(front.answer) as server:
        front.address = os.environ[SETTING] = server.address
        try:
            yield front
        finally:
            os.environ.pop(SETTING)
            if before is not None:
                os.environ[SETTING] = before
