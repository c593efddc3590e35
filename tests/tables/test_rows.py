"""Rows and transactions: what a Commit makes of each of DynamoDB's answers, and reads that are never short."""

import json
import uuid

import pytest
from pynamodb.attributes import UnicodeAttribute
from pynamodb.exceptions import TransactWriteError

from billfold.errors import Busy, OperationRunning, Stale, Unavailable
from billfold.tables import rows
from billfold.tables.commits import Commit
from billfold.tables.rows import (
    NOTHING,
    Row,
    Wanted,
    as_stored,
    existence,
    fetch,
    pages,
    read,
    several,
    single,
    table,
    write_all,
)
from tests.tables.scripts import CONDITION, CONFLICT, losing, scripted

pytestmark = pytest.mark.usefixtures("store")


class NoteRow(Row):
    class Meta:
        table_name = table("statements")

    text = UnicodeAttribute(null=True)


def fresh() -> str:
    """A token of its own: the engine keeps tokens for ten minutes, longer than its tables here."""
    return uuid.uuid4().hex


def note(name: str, sort: str = "1", text: str = "hello") -> NoteRow:
    return NoteRow(name, sort, text=text)


def key(name: str, sort: str = "1") -> rows.Key:
    return (NoteRow, name, sort)


def stored(name: str, sort: str = "1") -> str | None:
    row = read([key(name, sort)]).get(key(name, sort))
    return row.text if isinstance(row, NoteRow) else None


def putting(name: str = "a") -> Commit:
    commit = Commit(fresh())
    commit.record(note(name))
    return commit


# ----------------------------------------------------------------------------------------------------------- the commit


def test_a_conflict_is_tried_again_with_a_token_of_its_own():
    """Neither boto3 nor PynamoDB retries it; each try is another request, so each has another token."""
    with scripted("TransactWriteItems", [CONFLICT], ["None", CONFLICT], None) as sent:
        commit = putting()
        commit.put(note("b"))
        commit.send()
    assert (stored("a"), stored("b")) == ("hello", "hello")
    tokens = [request["ClientRequestToken"] for request in sent]
    assert len(set(tokens)) == 3
    assert all(len(token) <= 36 for token in tokens)


def test_a_conflict_without_reasons_is_tried_again():
    """DynamoDB names a conflict with a single write by an exception of its own."""
    with scripted("TransactWriteItems", "TransactionConflictException", None) as sent:
        putting().send()
    assert (len(sent), stored("a")) == (2, "hello")


@pytest.mark.parametrize("reasons", [[CONDITION], [CONFLICT, CONDITION], ["ThrottlingError", CONDITION]])
def test_a_failed_condition_is_stale_at_once_whatever_else_is_wrong(reasons):
    """What the decision assumed is no longer so: the step must decide anew, another try of the same cannot help."""
    with scripted("TransactWriteItems", reasons) as sent, pytest.raises(Stale):
        putting().send()
    assert len(sent) == 1


@pytest.mark.parametrize("code", ["ThrottlingError", "ProvisionedThroughputExceeded"])
def test_a_throttled_write_is_unavailable(code):
    """Only when every reason is a conflict is a conflict what it was."""
    for reasons in ([code], [CONFLICT, code]):
        with scripted("TransactWriteItems", reasons) as sent, pytest.raises(Unavailable) as refusal:
            putting().send()
        assert type(refusal.value) is Unavailable
        assert len(sent) == 1


@pytest.mark.parametrize(
    "code",
    [
        "ThrottlingException",
        "ProvisionedThroughputExceededException",
        "InternalServerError",
        "AccessDeniedException",
        "TransactionInProgressException",
        "ResourceNotFoundException",
    ],
)
def test_what_dynamodb_refuses_as_a_whole_is_unavailable(code):
    """Nothing is known to be wrong with the request, so the caller tries again with the same key."""
    with scripted("TransactWriteItems", code), pytest.raises(Unavailable):
        putting().send()


@pytest.mark.parametrize("answer", ["ValidationException", ["ValidationError"], ["ItemCollectionSizeLimitExceeded"]])
def test_a_malformed_request_is_our_own_fault_and_crashes(answer):
    """A bug must not hide as something to try again."""
    with scripted("TransactWriteItems", answer), pytest.raises(TransactWriteError):
        putting().send()


def test_the_same_writes_sent_twice_act_once_and_other_writes_are_another_request():
    """The token stands for the operation and its exact writes; without a condition nothing else would stop the second."""
    token = fresh()
    for text, expected in (("first", "first"), ("second", "second"), ("first", "second")):
        commit = Commit(token)
        commit.put(note("a", text=text))
        commit.send()
        assert stored("a") == expected


def test_endless_conflicts_are_busy_after_seven_tries():
    """Busy: others kept changing the same rows."""
    commit = putting()
    commit.put(note("b"))
    with scripted("TransactWriteItems", *[["None", CONFLICT]] * 7) as sent, pytest.raises(Busy):
        commit.send()
    assert (len(sent), stored("a")) == (7, None)


@pytest.mark.parametrize(("place", "refusal"), [(0, Busy), (1, Busy), (2, Busy), (3, OperationRunning), (4, Busy)])
def test_a_conflict_on_the_operation_s_own_record_says_that_its_twin_is_running(place, refusal):
    """LG-10: 409 with Retry-After. Reasons come in the order sent: checks, deletes, puts, updates."""
    commit = Commit(fresh())
    commit.update(note("d"), [NoteRow.text.set("new")])
    commit.put_new(note("c"))
    commit.record(note("r"))
    commit.delete(key("b"))
    commit.check(key("a"), NoteRow.pk.does_not_exist())
    reasons = ["None"] * place + [CONFLICT] + ["None"] * (4 - place)
    with scripted("TransactWriteItems", *[reasons] * 7) as sent, pytest.raises(refusal) as raised:
        commit.send()
    assert type(raised.value) is refusal
    kinds = [next(iter(write)) for write in sent[0]["TransactItems"]]
    assert kinds == ["ConditionCheck", "Delete", "Put", "Put", "Update"]


def test_the_engine_puts_its_reasons_in_the_order_of_the_writes():
    """What the test above scripts is what a real engine does: the one failed condition stands at its write's place."""
    write_all([note("c")])
    commit = Commit(fresh())
    commit.update(note("d"), [NoteRow.text.set("new")])
    commit.put_new(note("c"))
    commit.check(key("a"), NoteRow.pk.does_not_exist())
    with pytest.raises(Stale) as stale:
        commit.send()
    codes = [reason and reason.code for reason in stale.value.__cause__.cancellation_reasons]
    assert codes == [None, CONDITION, None]
    assert stored("d") is None


def test_an_answer_lost_after_the_commit_is_asked_for_again_under_the_same_token():
    """The second ask cannot act twice; a condition alone would have called it stale."""
    with losing("TransactWriteItems", 1, after_commit=True) as sent:
        putting().send()
    assert stored("a") == "hello"
    assert len(sent) == 2
    assert len({json.loads(body)["ClientRequestToken"] for body in sent}) == 1


def test_when_no_answer_comes_at_all_the_store_is_unavailable():
    """Bounded attempts: then the caller hears 503, having changed nothing or, at worst, everything."""
    with losing("TransactWriteItems", 99, after_commit=False) as sent, pytest.raises(Unavailable):
        putting().send()
    assert 2 <= len(sent) <= 4
    assert stored("a") is None


def test_a_commit_writes_everything_or_nothing():
    """L-7: a failed check at one end leaves no trace at the other."""
    write_all([note("old")])
    commit = Commit(fresh())
    commit.put(note("new"))
    commit.delete(key("old"))
    commit.check(key("missing"), NoteRow.pk.exists())
    with pytest.raises(Stale):
        commit.send()
    assert (stored("new"), stored("old")) == (None, "hello")


# ---------------------------------------------------------------------------------------------------------------- reads


def test_reads_of_several_tables_are_one_strongly_consistent_call():
    """Missing rows are left out, and a key asked for twice is asked for once."""
    write_all([note("a"), note("b", text="other")])
    with scripted("BatchGetItem") as sent:
        found = read([key("a"), key("b"), key("a"), key("nobody")])
    assert {each[1]: row.text for each, row in found.items()} == {"a": "hello", "b": "other"}
    assert len(sent) == 1
    assert all(request["ConsistentRead"] for request in sent[0]["RequestItems"].values())


def text(name: str) -> Wanted[str | None]:
    return single(NoteRow, name, "1", lambda row: row.text)


def test_what_is_wanted_is_fetched_by_one_call_in_the_order_of_asking():
    """One BatchGetItem, a row that two ask for once; None is what does not exist, or was not asked for."""
    write_all([note("a"), note("b", text="other")])
    every = several(NoteRow, [("b", "1"), ("nobody", "1"), ("a", "1"), ("b", "1")], lambda row: row.text)
    with scripted("BatchGetItem") as sent:
        found = fetch(text("b"), text("nobody"), NOTHING, every, existence(key("a")))
    assert found == ("other", None, None, ["other", "hello"], True)
    assert len(sent) == 1
    (request,) = sent[0]["RequestItems"].values()
    assert sorted(each["pk"]["S"] for each in request["Keys"]) == ["a", "b", "nobody"]


def test_a_single_thing_is_fetched_by_itself_and_not_in_a_tuple():
    """It reads as speech: `user = fetch(people_rows.user(caller))`."""
    write_all([note("a")])
    assert fetch(text("a")) == "hello"
    assert fetch(text("nobody")) is None
    assert fetch(existence(key("nobody"))) is False


def test_nothing_to_read_is_no_call():
    """An empty batch would be a ValidationException."""
    with scripted("BatchGetItem") as sent:
        assert read([]) == {}
        assert fetch(several(NoteRow, [], as_stored), NOTHING) == ([], None)
    assert sent == []


def unprocessed(name: str) -> dict[str, object]:
    keys = {"Keys": [{"pk": {"S": name}, "sk": {"S": "1"}}], "ConsistentRead": True}
    return {"Responses": {}, "UnprocessedKeys": {NoteRow.table(): keys}}


@pytest.mark.parametrize("times", [1, 6])
def test_keys_left_unprocessed_are_asked_for_again(times):
    """A short answer is no answer; the seventh try still counts."""
    write_all([note("a")])
    with scripted("BatchGetItem", *[unprocessed("a")] * times, None) as sent:
        assert read([key("a")])[key("a")].text == "hello"
    assert [request["RequestItems"] for request in sent] == [sent[0]["RequestItems"]] * (times + 1)


def test_keys_never_processed_make_the_store_unavailable():
    """It must not look as if the rows did not exist."""
    with scripted("BatchGetItem", *[unprocessed("a")] * 7), pytest.raises(Unavailable):
        read([key("a")])


@pytest.mark.parametrize("code", ["ThrottlingException", "InternalServerError", "AccessDeniedException"])
def test_a_failed_read_is_unavailable(code):
    """Every read goes through one door."""
    with scripted("BatchGetItem", code), pytest.raises(Unavailable):
        read([key("a")])
    with scripted("Query", code), pytest.raises(Unavailable):
        list(pages(NoteRow, "a"))


def test_a_malformed_read_crashes():
    """A ValidationException is a bug of ours."""
    with scripted("Query", "ValidationException"), pytest.raises(Exception, match="ValidationException"):
        list(pages(NoteRow, "a"))


# --------------------------------------------------------------------------------------------------------------- writes


def test_many_rows_are_put_twenty_five_a_call():
    """BatchWriteItem takes no more; every row arrives."""
    with scripted("BatchWriteItem") as sent:
        write_all(note("n", f"{number:03d}") for number in range(60))
    assert [len(request["RequestItems"][NoteRow.table()]) for request in sent] == [25, 25, 10]
    assert len(list(pages(NoteRow, "n"))) == 60


def test_rows_left_unprocessed_are_put_again():
    """A throttled batch is only partly done."""
    put = {"PutRequest": {"Item": note("n", "2").serialize()}}
    with scripted("BatchWriteItem", {"UnprocessedItems": {NoteRow.table(): [put]}}) as sent:
        write_all([note("n", "1"), note("n", "2")])
    assert [len(request["RequestItems"][NoteRow.table()]) for request in sent] == [2, 1]
    assert stored("n", "2") == "hello"
    with (
        scripted("BatchWriteItem", *[{"UnprocessedItems": {NoteRow.table(): [put]}}] * 7),
        pytest.raises(Unavailable),
    ):
        write_all([note("n", "2")])


# ---------------------------------------------------------------------------------------------------------------- pages


def sorts(**options: object) -> list[str]:
    return [item["sk"]["S"] for item in pages(NoteRow, "p", **options)]


def test_pages_go_in_order_either_way_and_exclude_their_bounds():
    """A position is a row that was already shown; both bounds at once leave out both."""
    write_all(note("p", f"{number}") for number in range(1, 8))
    assert sorts() == list("1234567")
    assert sorts(newest_first=True) == list("7654321")
    assert sorts(after="3") == list("4567")
    assert sorts(before="3") == list("12")
    assert sorts(before="3", newest_first=True) == list("21")
    assert sorts(after="2", before="6") == list("3456")[:4]
    assert sorts(limit=2, after="3") == list("45")
    assert sorts(limit=2, newest_first=True) == list("76")
    assert sorts(after="7") == []


def test_a_partition_of_several_megabytes_is_read_to_its_end():
    """A Query stops at one megabyte; without a limit we go on."""
    write_all(note("p", f"{number:02d}", text="x" * 100_000) for number in range(25))
    with scripted("Query") as sent:
        assert sorts() == [f"{number:02d}" for number in range(25)]
    assert len(sent) > 1
    assert all(request["ConsistentRead"] for request in sent)
