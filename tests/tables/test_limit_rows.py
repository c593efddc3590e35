"""Limits on a real engine: every try is counted, by whom and with what it was made; a failed challenge cools down."""

import json
import uuid

import pytest

from billfold.clock import HOUR
from billfold.errors import Stale
from billfold.tables import limit_rows
from billfold.tables.commits import Commit
from billfold.tables.rows import fetch
from tests.rules.card_worlds import BOUND

pytestmark = pytest.mark.usefixtures("store")

WHOS = {"user": ["usr_1"], "device": ["dev_1"], "fingerprint": ["one"], "address": ["203.0.113.7"]}


def limited(whos: limit_rows.Whos, now: int, cooling: str = "one") -> int:
    return fetch(limit_rows.tries(whos, [(whos["user"][0], cooling)])).wait_seconds(now)


def try_once(whos: limit_rows.Whos, now: int) -> None:
    commit = Commit(uuid.uuid4().hex)
    limit_rows.count_try(commit, fetch(limit_rows.tries(whos)), now)
    commit.send()


def test_tries_are_counted_by_user_device_card_and_address():
    """CB-17: ten a day by each of the first three, sixty an hour by an address; each on its own."""
    for number in range(10):
        assert limited(WHOS, BOUND + number) == 0
        try_once(WHOS, BOUND + number)
    assert limited(WHOS, BOUND + HOUR) == 23 * 3600
    nobody = {"user": ["usr_2"], "device": ["dev_2"], "fingerprint": ["two"], "address": ["198.51.100.1"]}
    assert limited(nobody, BOUND + HOUR) == 0
    for kind in ("user", "device", "fingerprint"):
        assert limited(nobody | {kind: WHOS[kind]}, BOUND + HOUR) == 23 * 3600
    assert limited(nobody | {"address": WHOS["address"]}, BOUND + HOUR) == 0


def test_a_card_that_was_tried_under_an_older_fingerprint_was_tried():
    """CB-17, CB-19, issue 12 F13: a new generation of keys gives nobody ten tries more, whichever way they are spread over them."""
    older, newer, both = ({"fingerprint": of} for of in (["old"], ["new"], ["new", "old"]))
    for number in range(10):
        assert fetch(limit_rows.tries(both)).wait_seconds(BOUND + number) == 0
        try_once(older if number % 3 else newer, BOUND + number)
    assert fetch(limit_rows.tries(both)).wait_seconds(BOUND + 9) == 24 * 3600
    try_once(both, BOUND + 24 * HOUR)
    assert fetch(limit_rows.tries(newer)).wait_seconds(BOUND + 24 * HOUR) == 0


def test_two_tries_at_once_are_both_counted_or_one_is_stale():
    """CB-17: nobody gets more tries by asking side by side."""
    tries = fetch(limit_rows.tries(WHOS))
    outcomes = []
    for _ in range(2):
        commit = Commit(uuid.uuid4().hex)
        limit_rows.count_try(commit, tries, BOUND)
        try:
            commit.send()
        except Stale:
            outcomes.append("stale")
        else:
            outcomes.append("counted")
    assert outcomes == ["counted", "stale"]


def test_after_a_failed_challenge_this_owner_waits_a_day_with_this_card_and_nobody_else_does():
    """CB-09: the cool-down; another card or another owner is free."""
    commit = Commit(uuid.uuid4().hex)
    limit_rows.add_cooling(commit, "usr_1", "one", BOUND + 24 * HOUR)
    commit.send()
    assert limited(WHOS, BOUND) == 24 * 3600
    assert limited(WHOS, BOUND + 24 * HOUR - 1) == 1
    assert limited(WHOS, BOUND + 24 * HOUR) == 0
    assert limited(WHOS, BOUND, cooling="two") == 0
    assert limited(WHOS | {"user": ["usr_2"]}, BOUND) == 0


def test_what_is_counted_vanishes_by_itself(store):
    """XX-04: TTL deletes a limit's row after every window that it could matter for; no address is kept as it is."""
    try_once(WHOS, BOUND)
    rows = [row for row in store.rows("cards") if row["sk"]["S"] == "limit"]
    assert len(rows) == 4
    assert {int(row["expires_at"]["N"]) for row in rows} == {BOUND // 1_000 + 25 * 3600}
    assert WHOS["address"][0] not in json.dumps(rows)
