"""Writing transfers into statements."""

from billfold import ledger
from billfold.ledger import ledger_rows, statement_rows
from billfold.tables.commits import Commit
from tests.cloud import delivery
from tests.cloud.queues import bodies
from tests.world import STEPS

CLEAN = {"batchItemFailures": []}


def transfer(person, amount, at=1_700_000_000_000):
    """A top-up that the ledger has."""
    legs = ledger.pay(ledger.funding("USD"), [(ledger.wallet(person.user_id, "USD"), amount)])
    made = ledger.transfer(f"trf_{person.sub}{amount}", legs, at=at, kind="top_up", reason="top-up")
    commit = Commit(made.transfer_id)
    ledger_rows.add_transfer(commit, made)
    commit.send()
    return made.transfer_id


def record(account, *transfer_ids):
    return STEPS["record_entries"].handler(delivery.in_order(account, transfer_ids), None)


def statement(account):
    lines = statement_rows.page(ledger.account(account), after="", newest_first=False, limit=100)
    return [(line.position, line.amount) for line in lines]


def wallet(person):
    return f"wallet/{person.user_id}/USD"


def test_every_leg_becomes_a_line_of_its_account(visitor):
    """LG-09: debit and credit."""
    made = transfer(visitor, 700)
    for account, amount in ((wallet(visitor), 700), ("funding/USD", -700)):
        assert record(account, made) == CLEAN
        lines = statement_rows.page(ledger.account(account), after="", newest_first=False, limit=100)
        assert [(line.amount, line.reason) for line in lines if line.transfer_id == made] == [(amount, "top-up")]


def test_lines_are_numbered_in_the_order_in_which_they_are_written(visitor):
    """LG-09, A3: a later line has a greater number whatever its transfer's instant, so no reader has passed it already."""
    record(wallet(visitor), transfer(visitor, 3, at=1_700_000_000_003))
    record(wallet(visitor), transfer(visitor, 1, at=1_700_000_000_001), transfer(visitor, 2, at=1_700_000_000_002))
    assert statement(wallet(visitor)) == [("000000000001", 3), ("000000000002", 1), ("000000000003", 2)]


def test_a_message_delivered_twice_is_one_line(visitor):
    """LG-09: in one batch, later, and after others."""
    made, other = transfer(visitor, 700), transfer(visitor, 800)
    record(wallet(visitor), made, made)
    record(wallet(visitor), other, made)
    record(wallet(visitor), made)
    assert [amount for _, amount in statement(wallet(visitor))] == [700, 800]


def test_no_line_is_written_that_the_ledger_does_not_prove(visitor, alice, queues):
    """G38: of a made-up transfer, a made-up text, a hold's id, or a transfer that does not touch the account."""
    real, others = transfer(visitor, 700), transfer(alice, 900)
    made_up = ["trf_made_up", "hld_1", '["trf_x",[["wallet/usr_x/USD",100]],1,"gift","",""]', "\uffff", others]
    assert record(wallet(visitor), *made_up, real) == CLEAN
    assert [amount for _, amount in statement(wallet(visitor))] == [700]
    assert list(bodies(queues, "statements-dead")) == made_up
