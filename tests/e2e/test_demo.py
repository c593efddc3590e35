"""The main job on the local cloud: real gateway, functions, streams, queues and schedule, roles enforced."""

import io
from typing import Any

import pytest
from rich.console import Console

from infra.demo.plays import play
from infra.operations import balances


def test_the_demo_finds_everything_as_expected(played: tuple[int, str]) -> None:
    """VB-01 to VB-20, LG-01, LG-09 and XX-03, as a phone and its terminals meet them; XX-06: every role suffices for it."""
    outcome, told = played
    assert outcome == 0, told


@pytest.mark.usefixtures("played")
def test_the_books_sum_to_zero_in_every_currency(stack: dict[str, Any]) -> None:
    """LG-01 over every account that the sandbox and the tests have touched."""
    lines = balances.sheet(stack)
    assert {line.currency for line in lines} >= {"USD", "EUR", "JPY"}
    assert set(balances.sums(lines).values()) == {0}


def test_the_demo_ends_with_1_when_something_differs(stack: dict[str, Any]) -> None:
    """A demo that cannot fail proves nothing: here a till signs with a key that is not the registered one."""
    merchants = [dict(merchant) for merchant in stack["merchants"]]
    first, second = merchants[0]["terminals"]
    swapped = [{"id": first["id"], "private_key": second["private_key"]}, second]
    told = io.StringIO()
    outcome = play(
        stack | {"merchants": [merchants[0] | {"terminals": swapped}, *merchants[1:]]}, Console(file=told, width=120)
    )
    assert outcome == 1
    assert "expected ['added'], found ['refused']" in told.getvalue()
