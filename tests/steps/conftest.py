"""What the steps' tests stand on: one set of tables a file, and people, phones and sellers of each test's own."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine as clocks
from moto import mock_aws

from tests import world
from tests.cloud import queues
from tests.cloud.engine import Engine
from tests.steps.town import Town, built
from tests.world import Person, Seller, card_world, vault_keys
from tests.world.card_world import CardWorld


@pytest.fixture(scope="module")
def store(engine: Engine) -> Engine:
    """Tables that were empty when this file began; its tests keep apart by people of their own."""
    engine.empty(streams=True)
    return engine


@pytest.fixture(scope="module")
def shop(store: Engine) -> Seller:
    """A merchant with two terminals, for all tests of a file."""
    return world.seller("Corner shop")


@pytest.fixture(scope="module")
def cafe(store: Engine) -> Seller:
    """Another merchant."""
    return world.seller("Café", terminals=1)


@pytest.fixture
def alice(store: Engine) -> Person:
    """Someone with a phone, a PIN and USD 1,000.00."""
    person = world.joined()
    world.fund(person, 100_000)
    return person


@pytest.fixture
def visitor(store: Engine) -> Person:
    """Someone with a phone, who has set no PIN and holds no money."""
    return world.joined(pin=None)


@pytest.fixture
def later() -> Iterator[Callable[..., None]]:
    """Moves the clock on: `later(minutes=5)`. It ticks on from there, and is right again after the test."""
    travels: list[clocks.travel] = []

    def move(**span: float) -> None:
        travel = clocks.travel(datetime.now(UTC) + timedelta(**span), tick=True)
        travel.start()
        travels.append(travel)

    yield move
    for travel in reversed(travels):
        travel.stop()


@pytest.fixture
def cards(store: Engine, queues: Any) -> Iterator[CardWorld]:
    """The sandbox bank, the state machines and fresh keys of the vault: no two tests know a number by one fingerprint."""
    with card_world.running(store, queues) as running:
        yield running


@pytest.fixture(scope="module")
def banking(store: Engine) -> Iterator[CardWorld]:
    """The same for all tests of a file, for towns."""
    with mock_aws():
        client = queues.make()
        vault_keys.make("1")
        with card_world.running(store, client) as running:
            yield running


@pytest.fixture(scope="module")
def cast(store: Engine) -> tuple[Person, Seller, Seller]:
    """Everybody in town but the owner, who is new for each test, as are the owner's things."""
    stranger, sellers = world.joined(), (world.seller(), world.seller("Café"))
    for person in (stranger, *(seller.admin for seller in sellers)):
        world.fund(person, 100_000)
    return stranger, *sellers


@pytest.fixture(scope="module")
def village(cast: tuple[Person, Seller, Seller], banking: CardWorld) -> Town:
    """A town for all tests of a file, whose calls must change nothing."""
    return built(*cast, banking)


@pytest.fixture
def town(cast: tuple[Person, Seller, Seller], banking: CardWorld) -> Town:
    """A new owner with a paid bill, one to verify and an open one, and cards, among the others."""
    return built(*cast, banking)
