"""A bank that is silent for half an hour: its charges and withdrawals are asked for as often as meant, and no more (issue 7 A2)."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import urllib3

from billfold import charges
from infra.plan import stages, steps
from infra.plan.triggers import Queue
from infra.templates import kept
from tests import world
from tests.cloud.engine import Engine
from tests.cloud.simulated_queues import Lambda, SimulatedQueues
from tests.world import STEPS, card_world
from tests.world.card_world import CardWorld

HALF_AN_HOUR = 1_800
# What a question costs that nobody answers: connected, and then the adapter's read time-out.
SILENCE_SECONDS = 3.0
# The way that every bank's adapter goes.
POOLS: Any = urllib3.PoolManager


@pytest.fixture
def cards(store: Engine, queues: Any) -> Iterator[CardWorld]:
    with card_world.running(store, queues) as running:
        yield running


def wired(name: str) -> Lambda:
    """The queue's function and source as every stage deploys them."""
    (step,) = (one for one in steps.known() if isinstance(one.trigger, Queue) and one.trigger.name == name)
    assert isinstance(step.trigger, Queue)
    template = kept.template(stages.stage("production"), steps.known())["Resources"]
    (queue,) = (
        one["Properties"]
        for one in template.values()
        if one["Properties"].get("QueueName") == f"{stages.stage('production').prefix}-{name}"
    )
    return Lambda(
        STEPS[step.name].handler,
        step.trigger.batch,
        step.trigger.at_once,
        step.settings(stages.stage("production")).timeout_seconds,
        queue["VisibilityTimeout"],
        queue["RedrivePolicy"]["maxReceiveCount"],
    )


@contextmanager
def silent(queues: SimulatedQueues) -> Iterator[list[str]]:
    """No bank answers; every question takes its time, and is noted."""
    asked: list[str] = []
    real = POOLS.urlopen

    def ask(pool: Any, method: str, url: str, *_: Any, **__: Any) -> Any:
        asked.append(url)
        queues.spend(SILENCE_SECONDS)
        raise urllib3.exceptions.ReadTimeoutError(pool, url, "silent")

    POOLS.urlopen = ask
    try:
        yield asked
    finally:
        POOLS.urlopen = real


def ideal_asks() -> int:
    """How often one silent thing is asked for in half an hour, if every ask comes exactly when it is meant to."""
    asks, at = 0, 0.0
    while at < HALF_AN_HOUR:
        asks, at = asks + 1, at + SILENCE_SECONDS + (charges.delay_seconds(asks) or HALF_AN_HOUR)
    return asks


@pytest.mark.parametrize(("queue", "things"), [("charges", 100), ("withdrawals", 25)])
def test_a_silent_bank_multiplies_no_message(cards: CardWorld, queue: str, things: int):
    """CB-14, CB-21: at most 1.2 times the ideal number of asks, one message a thing, and no dead letter; each is still open."""
    if queue == "charges":
        # Ten a day is what a user may.
        cases = [cards.active(rest=rest) for rest in range(things // 10)]
        waiting = [str(cards.top_up(*case, 100).body["id"]) for case in cases for _ in range(10)]
    else:
        waiting = []
        for number in range(things):
            person, card = cards.asked(rest=number)
            assert cards.remove(person, card).status == 204
            waiting.append(card)
    with SimulatedQueues({queue: wired(queue)}, seed=7) as queues, silent(queues) as asked:
        for thing in waiting:
            queues.send(queue, thing)
        queues.run(until_seconds=HALF_AN_HOUR)
    assert things * (ideal_asks() - 1) <= len(asked) <= things * ideal_asks() * 1.2
    assert queues.dead == {}
    assert (queues.sent[queue], len(queues.messages[queue])) == (things, things)


def test_what_crashes_every_time_still_becomes_a_dead_letter(cards: CardWorld):
    """Issue 7 A2: patience is for banks; a message that fails is received 17 times and then rests."""
    world.joined()
    with SimulatedQueues({"charges": wired("charges")}, seed=7) as queues:
        queues.send("charges", "chg_of_nobody")
        queues.run(until_seconds=2 * HALF_AN_HOUR)
    assert (queues.calls["charges"], queues.dead["charges"]) == (17, 1)
