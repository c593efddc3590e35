"""What the steps of card photos stand on besides the tables: a bucket and the vault's keys, on moto."""

import io
import logging
import random
from collections.abc import Iterator
from typing import Any

import pytest
from moto import mock_aws

from billfold.triggers import log
from infra.demo import card_pictures as rendering
from infra.demo.card_faces import Card
from tests.cloud.engine import Engine
from tests.world import photo_world


@pytest.fixture
def bucket(store: Engine) -> Iterator[Any]:
    """The bucket of photos."""
    with mock_aws(), photo_world.bucket_and_keys() as s3:
        yield s3


@pytest.fixture(scope="session")
def card() -> Card:
    """One card."""
    return rendering.card(random.Random("a card for steps"))


@pytest.fixture(scope="session")
def image(card: Card) -> bytes:
    """Its photo."""
    return rendering.photo(card, "flat", random.Random("a photo for steps"))


@pytest.fixture
def heard() -> Iterator[io.StringIO]:
    """What is logged, whole, as Lambda would print it."""
    text = io.StringIO()
    ear = logging.StreamHandler(text)
    ear.setFormatter(log.logger.registered_formatter)
    log.logger.addHandler(ear)
    yield text
    log.logger.removeHandler(ear)
