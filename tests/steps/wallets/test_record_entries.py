"""Writing transfers into statements."""

from billfold import ledger
from billfold.tables import ledger_rows
from tests.delivery import sqs_event
from tests.world import STEPS


def transfer(person, amount, at=1_700_000_000_000):
    legs = ledger.pay(ledger.funding("USD"), [(ledger.wallet(person.user_id, "USD"), amount)])
    return ledger.transfer(f"trf_{person.sub}{amount}", legs, at=at, kind="top_up", reason="top-up")


def record(*transfers):
    bodies = [ledger_rows.encode(one) for one in transfers]
    return STEPS["record_entries"].handler(sqs_event(bodies), None)


def statement(name):
    return ledger_rows.entries(ledger.account(name), after="", newest_first=False, limit=100)


def test_every_leg_becomes_a_line_of_its_account(visitor):
    """LG-09: debit and credit."""
    made = transfer(visitor, 700)
    assert record(made) == {"batchItemFailures": []}
    for account, amount in ((f"wallet/{visitor.user_id}/USD", 700), ("funding/USD", -700)):
        lines = [(line.amount, line.reason) for line in statement(account) if line.transfer_id == made.transfer_id]
        assert lines == [(amount, "top-up")]


def test_lines_are_in_the_order_of_their_instants_however_they_arrive(visitor):
    """LG-09: a queue keeps no order; the statement does."""
    record(transfer(visitor, 2, at=1_700_000_000_002), transfer(visitor, 3, at=1_700_000_000_003))
    record(transfer(visitor, 1, at=1_700_000_000_001))
    assert [line.amount for line in statement(f"wallet/{visitor.user_id}/USD")] == [1, 2, 3]


def test_a_message_delivered_twice_is_one_line(visitor):
    """The same lines are put again under the same keys."""
    made = transfer(visitor, 700)
    record(made, made)
    record(made)
    assert len(statement(f"wallet/{visitor.user_id}/USD")) == 1


def test_a_message_that_cannot_be_read_fails_alone(visitor):
    """The others of its batch are recorded; it comes again, and at last rests in the dead-letter queue."""
    bodies = ["nonsense", ledger_rows.encode(transfer(visitor, 700))]
    answer = STEPS["record_entries"].handler(sqs_event(bodies), None)
    assert answer == {"batchItemFailures": [{"itemIdentifier": "message-0"}]}
    assert len(statement(f"wallet/{visitor.user_id}/USD")) == 1
