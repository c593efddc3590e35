"""The table of counts is docs/costs.md's, to the last unit; and the budgets of the design hold."""

import re

import pytest

from infra.plan import steps
from infra.plan.stages import ROOT
from infra.plan.triggers import Route
from tests.proof import counts, recordings
from tests.proof.counts import Count


@pytest.fixture(scope="module")
def counted(harness) -> dict[str, Count]:
    """Every step's line."""
    return {count.step: count for count in counts.count_all(harness)}


def test_the_page_shows_what_was_counted(counted):
    """Exactly: calls, units, files and lines."""
    assert counts.PAGE.read_text() == counts.page(list(counted.values())), "run `make written`"


def test_a_wallet_transfer_costs_six_write_units_and_two_for_the_pin(harness, counted):
    """LG-07: two balances and one record, twice each for being one transaction; a condition on the PIN is two more."""
    calls = recordings.record(harness, counts.success("post_transfer")).first
    answer = calls[-1].answer
    assert answer
    units = {one["TableName"]: one["CapacityUnits"] for one in answer["ConsumedCapacity"]}
    assert units == {"billfold-ledger": 6, "billfold-people": 2}
    assert counted["post_transfer"].written == 8


def test_a_tapped_item_costs_four_write_units(counted):
    """The head and one change, whatever the bill holds."""
    assert counted["add_items"].written == 4


# An index holds keys only, so that only what changes a key writes to it; the rows of a page come in a second round.
LISTS_BY_INDEX = {"list_bills", "list_cards", "list_terminals"}
# Whose a terminal is stands in its own row, so the merchants come in a second round (docs/decisions.md, "A tap reads its sellers").
READS_SELLERS = {"add_items"}
# The try of a code is counted before the bank judges it, so that no crash and no race gives a sixth; its word comes after.
COMMITS_AROUND_A_BANK = {"answer_challenge"}
OF_DYNAMODB = {"Query", "BatchGetItem", "TransactWriteItems"}
# Which fingerprint a number has must be known before holders can be looked up, and a card is sealed once it may be bound.
OF_THE_VAULT = {"bind_card": {"GenerateMac", "GenerateDataKey"}, "get_card_photo": {"Decrypt"}}


@pytest.mark.parametrize(
    "step", [one for one in steps.known() if isinstance(one.trigger, Route)], ids=lambda step: step.name
)
def test_an_http_step_reads_in_one_round_and_commits_once(counted, step: steps.Step):
    """At most one round of reads that need nothing of each other, each kind once, then one transaction."""
    count = counted[step.name]
    rounds = 2 if step.name in LISTS_BY_INDEX | READS_SELLERS else 1
    assert count.rounds <= rounds
    calls = [action for action in count.calls if action in OF_DYNAMODB]
    asked = {action for action in count.calls if action.startswith("bank ")}
    assert set(count.calls) - OF_DYNAMODB - asked == OF_THE_VAULT.get(step.name, set())
    if step.name in COMMITS_AROUND_A_BANK:
        assert [action for action in count.calls if action not in ("Query", "BatchGetItem")] == [
            "TransactWriteItems",
            *asked,
            "TransactWriteItems",
        ]
        calls.pop()
    for action in set(calls):
        assert calls.count(action) <= rounds, action
    assert "TransactWriteItems" not in calls[:-1]


# The largest steps, and no other: bills with ledger, PIN and cards; signatures, sellers and the rule for texts; a card with its
# photo, vault and limits; what print is a number (docs/decisions.md, entry 14).
LINES, LARGER = 700, {"verify_bill": 850, "add_items": 850, "bind_card": 800, "read_card_photo": 740}
# A bank's adapter fetches its secret, whose age the clock tells; a feed or statement is a log, whose commit has a token by `ids`.
DEEPER = {step.name for step in steps.known() if step.may.bank} | {"record_events", "record_entries"}


def test_the_code_behind_a_step_stays_readable(counted):
    """At most 700 lines of functions on the success path, and at most three files beyond its own; more where named."""
    assert {count.step: count.lines for count in counted.values() if count.lines > LARGER.get(count.step, LINES)} == {}
    depths = {count.step: count.depth for count in counted.values()}
    assert {step: depth for step, depth in depths.items() if depth > 3 + (step in DEEPER)} == {}
    assert {step for step in LARGER if counted[step].lines <= LINES} == set(), "no longer an exception"


def test_no_code_names_a_scan():
    """No Scan of DynamoDB's, of PynamoDB's or by PartiQL is written anywhere, taken or not."""
    scan = re.compile(r"\bScan\b|\.scan\(|\bscan\(|rate_limited_scan|ExecuteStatement|execute_statement")
    code = [path for folder in ("functions", "layers/billfold") for path in (ROOT / folder).rglob("*.py")]
    assert len(code) > 40
    assert [path.name for path in code if scan.search(path.read_text())] == []
