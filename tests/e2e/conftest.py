"""One local cloud for all end-to-end tests, in a checkout of its own, with every function's role enforced (XX-06)."""

import io
from collections.abc import Iterator
from typing import Any

import pytest
from rich.console import Console

from infra.demo.plays import play
from tests.e2e.checkout import Checkout, free_port


@pytest.fixture(scope="package")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checkout]:
    """The checkout whose local cloud is up, and stopped when its tests are over."""
    made = Checkout(tmp_path_factory.mktemp("checkout"))
    try:
        made.infra("up", "--detach", "--auth", "--port", str(free_port()))
        yield made
    finally:
        made.infra("down")


@pytest.fixture(scope="package")
def stack(checkout: Checkout) -> dict[str, Any]:
    """Where the cloud's parts are, its users, merchants and terminals."""
    return checkout.stack


@pytest.fixture(scope="package")
def played(stack: dict[str, Any]) -> tuple[int, str]:
    """The demo's exit code and what it said, played once."""
    told = io.StringIO()
    return play(stack, Console(file=told, width=120)), told.getvalue()
