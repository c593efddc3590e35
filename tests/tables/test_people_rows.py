"""A PIN's state on a real engine: whatever was read of it holds, or the commit that read it is stale."""

import uuid

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from billfold import people
from billfold.clock import MINUTE
from billfold.errors import Stale
from billfold.people import PIN_LOCK, Device, Pin, User, people_rows
from billfold.people.people_rows import UserRow
from billfold.tables import operation_rows
from billfold.tables.commits import Commit
from billfold.tables.rows import connection, fetch

pytestmark = pytest.mark.usefixtures("store")
NOW = 1_795_456_800_000


def joined(**columns: object) -> str:
    """A user's row; without more columns, as it was stored before PINs had a revision."""
    user_id = f"usr_{uuid.uuid4().hex}"
    commit = Commit(user_id)
    commit.put(UserRow(user_id, UserRow.SORT, joined_at=1, pin_hash="right", **columns))
    commit.send()
    return user_id


def user(user_id: str) -> User:
    found = fetch(people_rows.user(user_id))
    assert found is not None
    return found


def sent(fill: object) -> bool:
    commit = Commit(uuid.uuid4().hex)
    try:
        fill(commit)
        commit.send()
    except Stale:
        return False
    return True


def wrong_try(user_id: str, read: User, now: int, operation: str = "") -> bool:
    after, refusal = people.after_wrong_pin(read.pin, now)
    operation = operation or uuid.uuid4().hex
    return sent(lambda commit: people_rows.count_wrong_try(commit, operation, "request", read, after, refusal, now))


def right_try(user_id: str, read: User, now: int, operation: str = "") -> bool:
    return sent(lambda commit: people_rows.check_pin(commit, user_id, read.pin, operation=operation, now=now))


def change(user_id: str, read: User, now: int) -> bool:
    after = people.after_right_pin(read.pin, f"hash {uuid.uuid4()}")
    return sent(lambda commit: people_rows.add_pin(commit, user_id, read.pin, after))


DEEDS = {"wrong": wrong_try, "right": right_try, "change": change}


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.tuples(st.sampled_from(sorted(DEEDS)), st.sampled_from([1, PIN_LOCK + 1])), min_size=1, max_size=12),
    st.sampled_from([{}, {"pin_tries": 3, "pin_locked_until": NOW - 1}, {"pin_tries": 2, "pin_revision": 7}]),
)
def test_a_state_that_is_over_never_comes_back(store, steps, begin):
    """VB-15: after any tries, locks and changes, what was read before them is stale if one of them wrote, and good if none did."""
    user_id, now = joined(**begin), NOW
    seen = [(user(user_id), 0)]
    writes = 0
    for name, later in steps:
        now += later
        before = user(user_id)
        assert DEEDS[name](user_id, before, now)
        after = user(user_id)
        writes += after.pin != before.pin
        assert (after.pin.revision > before.pin.revision) == (after.pin != before.pin)
        seen.append((after, writes))
    for state, at in seen:
        assert right_try(user_id, state, now) == (at == writes)
        writes += state.pin.tries > 0 and at == writes


def test_a_row_of_an_earlier_version_takes_every_try():
    """Stored rows outlive code: a PIN without a revision is tried, counted, locked, cleared and changed."""
    for columns in ({}, {"pin_tries": 2}, {"pin_tries": 3, "pin_locked_until": NOW - 1}):
        for deed in DEEDS.values():
            user_id = joined(**columns)
            assert deed(user_id, user(user_id), NOW)


@pytest.mark.parametrize("column", ["pin_hash", "pin_tries", "pin_locked_until"])
def test_an_earlier_version_that_still_writes_is_noticed(column):
    """While a deployment shifts, functions change a PIN without its revision."""
    user_id = joined()
    before = user(user_id)
    value = {"S": "other"} if column == "pin_hash" else {"N": "1"}
    connection().dispatch(
        "UpdateItem",
        {
            "TableName": UserRow.table(),
            "Key": {"pk": {"S": user_id}, "sk": {"S": UserRow.SORT}},
            "UpdateExpression": f"SET {column} = :value",
            "ExpressionAttributeValues": {":value": value},
        },
    )
    for deed in DEEDS.values():
        assert not deed(user_id, before, NOW)


def test_a_refusal_that_was_recorded_between_two_reads_is_noticed():
    """LG-10: the record was looked for before the twin's commit, its user read after it, and a third one has forgiven the try."""
    user_id, operation = joined(), uuid.uuid4().hex
    assert fetch(operation_rows.operation(operation)) is None
    assert wrong_try(user_id, user(user_id), NOW, operation)
    assert right_try(user_id, user(user_id), NOW + 1)
    late = user(user_id)
    assert late.pin == Pin("right", wrong_at=NOW, revision=2)
    assert not right_try(user_id, late, NOW + 2, operation)
    assert right_try(user_id, late, NOW + 2, uuid.uuid4().hex)
    assert right_try(user_id, late, NOW + MINUTE, operation), (
        "what was recorded before this request is found by reading"
    )


def test_a_phone_that_was_known_and_is_removed_is_not_said_to_be_registered():
    """LG-07: the answer that is recorded is about what was read, also when nothing else is written."""
    user_id, device = joined(), Device("dev_1", "phone", {}, "1", 1)
    assert not sent(lambda commit: people_rows.check_registered(commit, user_id, device))
    assert sent(lambda commit: people_rows.add_device(commit, user_id, device, 1))
    assert sent(lambda commit: people_rows.check_registered(commit, user_id, device))


def test_a_suspended_user_s_right_pin_commits_nothing():
    """VB-01: also when the suspension came after the PIN was read."""
    user_id = joined()
    before = user(user_id)
    assert sent(lambda commit: commit.update(UserRow(user_id, UserRow.SORT), [UserRow.suspended_at.set(NOW)]))
    for deed in DEEDS.values():
        assert not deed(user_id, before, NOW)
