"""`python -m infra compare-day` and `reconciliation`: a day compared anew when operations ask for it, and how far that has come."""

from dataclasses import replace

import pytest

from billfold import charges, clock
from billfold.charges import comparison_rows, comparisons
from billfold.charges.comparisons import PARTS, Comparison
from billfold.tables.commits import Commit
from infra.deploy.clouds import Cloud
from infra.deploy.stacks import DeploymentFailed
from infra.operations import reconciliation
from infra.plan import stages
from tests.cloud import delivery

LOCAL = stages.stage(stages.LOCAL)


@pytest.fixture
def cloud(store, cards):
    """What the command talks to."""
    store.empty(streams=True)
    return Cloud("eu-west-1", "123456789012", None, {"dynamodb": store.client, "sqs": cards.queues})


def put(after: Comparison) -> Comparison:
    commit = Commit(after.message)
    comparison_rows.add_piece(commit, after)
    commit.send()
    return after


def test_a_day_is_compared_anew_and_its_report_stays_until_there_is_another(cloud, store, cards, later):
    """CB-21: what has changed at the bank since is found."""
    person, card = cards.active()
    cards.top_up(person, card)
    cards.settle()
    day = clock.to_text(clock.now())[:10]
    later(days=1)
    for expected in ([], ["missing_there"]):
        begun = reconciliation.begin(cloud, LOCAL, day, clock.now())
        assert reconciliation.progress(cloud, LOCAL, begun) == {"sandbox": "not begun"}
        delivery.drain(cards.queues)
        assert reconciliation.progress(cloud, LOCAL, begun) == {"sandbox": ""}
        (report,) = reconciliation.reports(cloud, LOCAL, day)
        assert [line[0] for line in reconciliation.lines(report)] == expected
        (banked, *_) = [row for row in store.rows("sandbox_bank") if "amount" in row] or [None]
        if banked:
            store.client.delete_item(TableName="billfold-sandbox_bank", Key={"pk": banked["pk"], "sk": banked["sk"]})


def test_a_long_day_says_how_far_it_has_come(cloud):
    """Issue 7 A5: a wait of hours is no silence."""
    comparison = Comparison("sandbox", charges.days_to_compare(clock.now())[0], clock.now())
    first = put(comparisons.listed(comparison, "cursor"))
    assert reconciliation.progress(cloud, LOCAL, [comparison]) == {"sandbox": "1 pieces of the bank's list read"}
    there = put(replace(comparisons.listed(first, ""), part=17))
    assert reconciliation.progress(cloud, LOCAL, [comparison]) == {"sandbox": f"17 of {PARTS} parts compared"}
    put(comparisons.compared(replace(there, part=PARTS - 1), [], []))
    assert reconciliation.progress(cloud, LOCAL, [comparison]) == {"sandbox": ""}


@pytest.mark.parametrize("day", ["2026-13-01", "yesterday", "", "23.11.2026", "9999-01-01", "today"])
def test_what_is_no_day_that_is_over_is_refused(cloud, day):
    """CB-21: in words, and nothing is queued."""
    day = clock.to_text(clock.now())[:10] if day == "today" else day
    with pytest.raises(DeploymentFailed, match=r"no day|not over"):
        reconciliation.begin(cloud, LOCAL, day, clock.now())
