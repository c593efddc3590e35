"""The sandbox bank as it is deployed: its own API, table and queue, under its own roles (XX-06, XX-08)."""

import time
from typing import Any

import pytest

from billfold import clock
from billfold.banks.sandbox import SandboxBank
from infra.deploy.clouds import Cloud
from infra.local import sandbox
from infra.plan import stages
from sandbox_bank import behaviours
from tests.cloud.local_http import LocalServer, Received
from tests.world.bank_fixtures import Receiver, authentication, card

PREFIX = stages.stage(stages.LOCAL).prefix


@pytest.fixture
def bank(stack: dict[str, Any]) -> SandboxBank:
    cloud = Cloud(stack["region"], stack["account"], stack["endpoint"])
    return SandboxBank(stack["bank"], sandbox.bank_secret(cloud, PREFIX))


def test_a_card_is_approved_charged_and_given_back_at_the_deployed_bank(bank: SandboxBank) -> None:
    """CB-07, CB-21: over its gateway, with one answer for one key."""
    run = f"e2e-{time.time_ns()}"
    verdict = bank.authenticate(run, authentication(card("approved")))
    assert verdict.outcome == "approved"
    charged = bank.charge(f"{run}-charge", verdict.token, 100, "USD", run)
    assert charged.outcome == "charged"
    assert bank.charge(f"{run}-charge", verdict.token, 100, "USD", run) == charged == bank.status(f"{run}-charge")
    assert bank.refund(f"{run}-refund", charged.reference, 100, "USD", run).outcome == "refunded"
    keys = [line.key for line in bank.charges(clock.now() - clock.MINUTE, clock.now() + 1, "")[0]]
    assert keys[-2:] == [f"{run}-charge", f"{run}-refund"]


def test_the_deployed_bank_keeps_silent_and_tells_later(bank: SandboxBank, stack: dict[str, Any]) -> None:
    """CB-13: no answer within three seconds, then a signed callback from its queue; Billfold's own address comes back after."""
    run, receiver = f"e2e-{time.time_ns()}", Receiver()
    with LocalServer(receiver.answer) as server:
        sandbox.register_callbacks(bank, server.address)
        try:
            started = time.monotonic()
            assert (
                bank.authenticate(run, authentication(behaviours.late_number(4, 1), card_id=run)).outcome == "unknown"
            )
            assert 2.9 < time.monotonic() - started < 4
            deadline = time.monotonic() + 60
            while not (ours := _about(run, receiver)) and time.monotonic() < deadline:
                time.sleep(0.2)
        finally:
            sandbox.register_callbacks(bank, sandbox.callbacks_of(stack["api"]))
    (received,) = ours
    callback = bank.callback(received.headers, received.body, clock.now())
    assert callback.verdict == bank.status(run)
    assert callback.verdict is not None
    assert callback.verdict.outcome == "approved"


def _about(card_id: str, receiver: Receiver) -> list[Received]:
    """What arrived about one card; callbacks of other tests' cards may still be on their way, forged ones too."""
    return [received for received in receiver.received if card_id in received.body]
