"""The stage, once per file of proofs."""

import pytest

from tests.proof import stage as stages


@pytest.fixture(scope="module")
def stage(engine):
    """The engine's tables and queues of its own."""
    with stages.set_up(engine) as ready:
        yield ready
