"""What a fresh eye once broke, and what must hold since."""

import pytest

from billfold import bills
from billfold.bills import bill_items
from billfold.bills.bill_changes import Closed, Item, SettlementFailed
from billfold.bills.bill_errors import BillFull
from billfold.tables import journals
from tests.rules.bill_worlds import rebuild
from tests.world import Person, call, close, fund, joined, opened, seller, tap, verify


def test_changes_stay_in_order_however_many_there_are():
    """VB-17: with keys that sort wrongly, a settlement would be folded before older failures and the bill be paid again."""
    keys = [journals.position(revision) for revision in (1, 9_999, 10_000, 10_001, 1_000_000)]
    assert keys == sorted(keys)


def test_a_client_gone_wild_cannot_make_a_bill_grow_for_ever():
    """VB-17: tries to pay without money end at a limit, before the PIN is looked at."""
    item = Item("itm_1", "mer_1", "trm_1", 1, 0, 300, [], "", "")
    bill = rebuild("bil_1", [bills.open_for("usr_1", "dev_1", "USD", period=1_000, cap=None, now=0)])
    bill = bills.after(bill_items.with_item(bill, item), Closed(at=500, by_user=True))
    while bill.revision < bills.MAX_REVISIONS:
        bills.check_verifiable(bill, bill.list_hash(), 600)
        bill = bills.after(bill, SettlementFailed(at=600, refusal="balance_too_low", facts={}))
    with pytest.raises(BillFull):
        bills.check_verifiable(bill, bill.list_hash(), 600)


def test_more_terminals_than_one_batch_are_listed(store):
    """A page of 100 looks for one more, and 101 rows are two batches."""
    shop = seller(terminals=101)
    first = call("GET", f"/v1/merchants/{shop.merchant}/terminals", shop.admin, query={"limit": "100"})
    assert (first.status, len(first.body["items"])) == (200, 100)
    query = {"limit": "100", "cursor": first.body["next"]}
    last = call("GET", f"/v1/merchants/{shop.merchant}/terminals", shop.admin, query=query)
    assert len(last.body["items"]) == 1


def test_a_repeated_field_that_is_half_a_character_is_refused(store):
    """The pointer cannot name it, so it does not."""
    answer = call("POST", "/v1/devices", joined(), raw='{"\\ud800":1,"\\ud800":2}')
    assert (answer.status, answer.code) == (400, "invalid")


def test_a_group_whose_name_contains_another_is_not_that_group(store):
    """XX-05: `acme.operations` is nobody here."""
    other = joined()
    answer = call(
        "POST", "/v1/merchants", joined(Person(groups=("acme.operations",))), {"name": "x", "admin": other.user_id}
    )
    assert (answer.status, answer.code) == (403, "forbidden")


def test_a_wrong_body_is_wrong_also_while_a_bill_is_open(store):
    """VB-04 returns the open bill for a sound request only."""
    alice = joined()
    opened(alice)
    answer = call("POST", "/v1/bills", alice, {"device": alice.phone.device_id, "currency": "ZZZ"})
    assert answer.body["pointer"] == "/currency"


def test_a_paid_bill_is_paid_once_after_failures(store):
    """VB-17: fail, top up, pay, and pay again with a new key."""
    alice, shop = joined(), seller()
    bill = opened(alice)
    tap(alice, bill, [shop.tills[0].item(bill, [("tea", 1, 300)])])
    list_hash = close(alice, bill).body["verification"]["list_hash"]
    for _ in range(12):
        assert verify(alice, bill, list_hash).code == "balance_too_low"
    fund(alice, 1_000)
    assert verify(alice, bill, list_hash).status == 200
    assert verify(alice, bill, list_hash).code == "bill_state_conflict"
