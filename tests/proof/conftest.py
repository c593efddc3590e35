"""The harness, once per file of proofs."""

import pytest

from tests.proof.harness import set_up


@pytest.fixture(scope="module")
def harness(engine):
    """The engine's tables and queues of its own."""
    with set_up(engine) as ready:
        yield ready
