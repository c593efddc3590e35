"""Every state change is an event (XX-03): each scenario that leaves other rows behind tells somebody, or is listed with its reason.

The list of changes is not kept by hand: it is what all the scenarios of all the steps were seen to change.
"""

from typing import Any

import pytest

from billfold.bills import bill_stream
from billfold.cards import card_stream
from billfold.charges import charge_stream
from billfold.events import outbox_stream
from billfold.ledger import ledger_stream
from tests.proof import scenarios
from tests.proof.ground import State
from tests.proof.plays import Scenario, play

# Rows by which nothing changed for anybody: records of requests and of what was told, what only counts, other services.
NO_STATE = {"operations", "events", "statements", "sandbox_bank", "machines"}
# Why nobody is told of what these steps, or one of their scenarios, change.
UNTOLD = {
    "start_card_photo": "the phone that starts it has the answer, and polls for what becomes of it within seconds",
    "read_card_photo": "the phone polls; what was read is shown to it alone and erased after 13 minutes",
    "expire_card_photos": "what nobody may read any more, and nobody waits for",
    "expire_holds": "a hold is part of something that has its own events",
    "bind_card: a fourth holder": "its caller hears it; what changes is how many tries are counted (CB-17)",
    "check_card": "a task of the machine; what it leads to is told",
    "ask_bank": "a task of the machine; what it leads to is told",
    "await_bank": "a task of the machine, which waits",
    "answer_challenge": "its caller, who alone can try a code, hears it; linked or declined is told",
    "open_bank_page": "its caller has just confirmed there; linked or declined is told",
    "receive_callback": "the bank's word is acted on by the machine or a queue, whose result is told",
    "withdraw_approval": "a card that has ended is over to its owner; it is between us and the bank",
    "reseal_card": "the vault's keys changed, and nothing for the owner",
    "settle_charge: a dispute": "the card's owner raised it at the bank; operations hear of it",
    "compare_charges": "a report for operations, with an alarm when something differs",
}


def told_by(table: str, image: dict[str, Any]) -> list[Any]:
    """The events that one inserted row means."""
    nouns = {
        "bills": bill_stream,
        "cards": card_stream,
        "charges": charge_stream,
        "ledger": ledger_stream,
        "outbox": outbox_stream,
    }
    noun: Any = nouns.get(table)
    return noun.events_of(image) if noun else []


def difference(before: State, after: State) -> tuple[set[str], list[Any]]:
    """The tables whose state changed, and the events of the rows that are new."""
    keys = {key for key in {*before, *after} if before.get(key) != after.get(key)}
    tables = {key[0] for key in keys} - NO_STATE - {"outbox"}
    events = [event for key in sorted(keys - set(before)) for event in told_by(key[0], after[key])]
    return {table for table in tables if not table.startswith("bucket ")}, events


@pytest.fixture(scope="module")
def seen(harness) -> dict[Scenario, tuple[set[str], list[Any]]]:
    """What every scenario changed and told, each played once."""
    found = {}
    for scenario in scenarios.ALL:
        played = play(harness, scenario)
        played.arrive()
        found[scenario] = difference(played.before, harness.ground.look())
        played.rewind()
    return found


def silent(seen: dict[Scenario, tuple[set[str], list[Any]]]) -> dict[str, set[str]]:
    """What was changed and told to nobody, by the step, or by the scenario where only that one is listed."""
    found = {one: changed for one, (changed, told) in seen.items() if changed and not told}
    return {one.step if one.step in UNTOLD else str(one): changed for one, changed in found.items()}


def test_what_changes_is_told_or_has_a_reason_not_to_be(seen):
    """XX-03: by the rows that the very commit inserted, which the tables' streams carry on."""
    assert not {case: changed for case, changed in silent(seen).items() if case not in UNTOLD}


def test_each_reason_is_of_a_step_that_changes_something_silently(seen):
    """A reason that outlives its step would hide the next one's silence."""
    assert set(UNTOLD) == set(silent(seen))
