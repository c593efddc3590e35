"""The bank itself; its tests use the same keys again, so each has empty tables."""

import pytest

from tests.world.bank_fixtures import bank, receiver, sandbox

__all__ = ["bank", "receiver", "sandbox", "store"]


@pytest.fixture
def store(engine):
    """Empty tables on the engine."""
    engine.empty(streams=True)
    return engine
