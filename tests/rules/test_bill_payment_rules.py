"""The rules of verifying, paying and refunding bills by example (VB-13 to VB-20)."""

from dataclasses import replace

import pytest

from billfold import bills, errors, ledger
from billfold.bills import bill_errors, bill_openings, bill_refunds, bill_sellers
from billfold.bills.bill_changes import Closed, PaidBy, Refunded, Reminded, Settled, Unpaid
from billfold.people import User
from tests.rules.bill_worlds import MINUTE, OPENED, PERIOD, Bill, added, closed, ended, item, opened, settled

END = OPENED + PERIOD
VERIFY_BY = END + 30 * MINUTE


def refund(bill: Bill, *item_ids: str, merchant: str = "mer_a") -> Refunded:
    return bill_refunds.refund(bill, item_ids, {merchant}, transfer_id="trf_2", reason="cold", now=END)


# ---------------------------------------------------------------------------------------- verification and settlement


def test_closing_asks_for_verification_within_thirty_minutes():
    """VB-13, VB-16: the same whether the user or time ends the period."""
    bill = added(opened(), item(1))
    assert (closed(bill).state, closed(bill).verify_by) == ("verifying", OPENED + 32 * MINUTE)
    assert (ended(bill).state, ended(bill).verify_by) == ("verifying", VERIFY_BY)
    with pytest.raises(bill_errors.BillStateConflict) as refusal:
        bills.close(closed(bill), OPENED + 3 * MINUTE)
    assert refusal.value.facts == {"state": "verifying"}
    assert bills.close(bill, OPENED + 3 * MINUTE) == Closed(at=OPENED + 3 * MINUTE, by_user=True)


def test_an_empty_bill_ends_without_a_request():
    """VB-18: by time or by its user; an active bill whose items all went counts as empty."""
    emptied = added(opened(), item(1))
    emptied = bills.after(emptied, bill_sellers.void(emptied, "itm_1", {"mer_a"}, OPENED + 5))
    for bill in (ended(opened()), closed(opened()), ended(emptied)):
        assert (bill.state, bill.due_at, bill.verify_by) == ("expired_empty", None, None)
        with pytest.raises(bill_errors.BillStateConflict):
            bills.check_verifiable(bill, bill.list_hash(), END)


def test_a_bill_falls_due_at_its_end_then_for_a_reminder_then_for_good():
    """VB-13, VB-16, XX-04: each deadline does one thing, once, not an instant early."""
    bill = added(opened(), item(1))
    assert (bill.due_at, bills.on_deadline(bill, END - 1)) == (END, None)
    bill = ended(bill)
    assert bill.due_at == END + 15 * MINUTE
    assert bills.on_deadline(bill, END + 15 * MINUTE - 1) is None
    assert bills.on_deadline(bill, END + 15 * MINUTE) == Reminded(at=END + 15 * MINUTE)
    bill = bills.after(bill, Reminded(at=END + 15 * MINUTE))
    assert (bill.due_at, bills.on_deadline(bill, VERIFY_BY - 1)) == (VERIFY_BY, None)
    assert bills.on_deadline(bill, VERIFY_BY) == Unpaid(at=VERIFY_BY)
    bill = bills.after(bill, Unpaid(at=VERIFY_BY))
    assert (bill.state, bill.due_at, bills.on_deadline(bill, VERIFY_BY * 2)) == ("unpaid", None, None)


def test_a_sweep_that_comes_very_late_gives_the_bill_up_at_once():
    """VB-16: a reminder of what is over would help nobody."""
    assert bills.on_deadline(ended(added(opened(), item(1))), VERIFY_BY) == Unpaid(at=VERIFY_BY)


def test_verification_is_bound_to_the_exact_list():
    """VB-14: any change of what is paid makes the hash another one; looking or reminding does not."""
    bill = ended(added(opened(), item(1), item(2)))
    named = bill.list_hash()
    bills.check_verifiable(bill, named, END)
    changed = [added(bill, item(3), now=END + 1), bills.after(bill, bills.dispute(bill, "itm_1", END))]
    for other in changed:
        with pytest.raises(bill_errors.ListChanged):
            bills.check_verifiable(other, named, END)
    assert bills.after(bill, Reminded(at=END)).list_hash() == named


@pytest.mark.parametrize("field", ["item_id", "merchant", "amount", "signed_at"])
def test_the_list_s_hash_covers_what_each_line_says(field):
    """VB-14: item, seller, value and time; and which bill in which currency."""
    bill = added(opened(), item(1))
    other = added(opened(), item(1, **{field: 7 if field in ("amount", "signed_at") else "other"}))
    assert other.list_hash() != bill.list_hash()
    assert replace(bill, bill_id="bil_2").list_hash() != bill.list_hash()
    assert replace(bill, currency="EUR").list_hash() != bill.list_hash()


def test_the_list_s_order_is_part_of_it():
    """VB-14: the user saw one order; another list of the same sum is another list."""
    one = added(opened(), item(1), item(2, terminal="trm_b"))
    other = added(opened(), item(2, terminal="trm_b"), item(1))
    assert one.list_hash() != other.list_hash()


def test_verification_ends_with_its_deadline():
    """VB-16: at the instant itself it is over, swept or not."""
    bill = ended(added(opened(), item(1)))
    bills.check_verifiable(bill, bill.list_hash(), VERIFY_BY - 1)
    with pytest.raises(bill_errors.VerificationExpired):
        bills.check_verifiable(bill, bill.list_hash(), VERIFY_BY)


@pytest.mark.parametrize("state", ["active", "settling", "settled", "unpaid", "cancelled", "expired_empty", "refunded"])
def test_only_a_bill_that_asks_for_it_can_be_verified(state):
    """VB-17: before closing there is nothing final to verify, after settling nothing left."""
    bill = replace(closed(added(opened(), item(1))), state=state)
    with pytest.raises(bill_errors.BillStateConflict) as refusal:
        bills.check_verifiable(bill, bill.list_hash(), OPENED + 3 * MINUTE)
    assert refusal.value.facts == {"state": state}


@pytest.mark.parametrize("state", ["verifying", "failed"])
def test_a_bill_without_anything_to_pay_or_with_a_thousand_revisions_is_not_paid(state):
    """VB-12, VB-17: what was disputed whole has no sum; and a journal has an end, which its last payment may reach."""
    bill = replace(closed(added(opened(), item(1))), state=state)
    nothing = replace(bill, items=(replace(bill.items[0], state="disputed"),))
    with pytest.raises(bill_errors.BillStateConflict) as refusal:
        bills.check_verifiable(nothing, nothing.list_hash(), OPENED + 3 * MINUTE)
    assert refusal.value.facts == {"state": "without a payable item"}
    bills.check_verifiable(replace(bill, revision=999), bill.list_hash(), OPENED + 3 * MINUTE)
    with pytest.raises(bill_errors.BillFull) as full:
        bills.check_verifiable(replace(bill, revision=1_000), bill.list_hash(), OPENED + 3 * MINUTE)
    assert full.value.facts == {"limit": 1_000}


def test_a_failed_settlement_keeps_the_items_and_can_be_tried_again():
    """VB-17: insufficient funds change the state alone; the deadline stays the one it was."""
    bill = closed(added(opened(), item(1)))
    failed = bills.after(bill, bills.SettlementFailed(at=OPENED + 3 * MINUTE, refusal="balance_too_low", facts={}))
    assert (failed.state, failed.items, failed.due_at) == ("failed", bill.items, bill.due_at)
    assert settled(failed).state == "settled"


def test_settling_pays_every_item_that_counts_and_no_other():
    """VB-17: a disputed item stays disputed; the transfer is remembered; nothing falls due any more."""
    bill = closed(added(opened(), item(1), item(2)))
    bill = settled(bills.after(bill, bills.dispute(bill, "itm_1", END)))
    assert [each.state for each in bill.items] == ["disputed", "settled"]
    assert (bill.state, bill.transfer_id, bill.due_at) == ("settled", "trf_1", None)


# -------------------------------------------------------------------------------------------------------------- refunds


def test_items_are_refunded_one_by_one_until_all_are():
    """VB-20: partially refunded, then refunded; the paid total stays what it was."""
    bill = settled(closed(added(opened(), item(1, amount=10), item(2, amount=5))))
    bill = bills.after(bill, refund(bill, "itm_1"))
    assert (bill.state, bill.refunded.amount, bill.total.amount) == ("partially_refunded", 10, 15)
    bill = bills.after(bill, refund(bill, "itm_2"))
    assert (bill.state, bill.refunded.amount, bill.total.amount) == ("refunded", 15, 15)
    assert [each.transfer_id for each in bill.refunds] == ["trf_2", "trf_2"]


def test_an_item_is_refunded_at_most_once():
    """VB-20: twice in one request is a mistake, twice in two is a conflict."""
    bill = settled(closed(added(opened(), item(1), item(2))))
    with pytest.raises(errors.Invalid):
        refund(bill, "itm_1", "itm_1")
    with pytest.raises(bill_errors.ItemStateConflict):
        refund(bills.after(bill, refund(bill, "itm_1")), "itm_1", "itm_2")


def test_only_its_own_seller_refunds_an_item_that_was_paid():
    """VB-20, XX-05: another seller's or an unknown item is not found; an unpaid one is a conflict; one seller a refund."""
    bill = closed(added(opened(), item(1), item(2, merchant="mer_b")))
    with pytest.raises(bill_errors.ItemStateConflict):
        refund(bill, "itm_1")
    bill = settled(bill)
    for names, merchant in ((["itm_1"], "mer_b"), (["itm_1", "itm_2"], "mer_a"), (["itm_9"], "mer_a")):
        with pytest.raises(errors.NotFound):
            refund(bill, *names, merchant=merchant)
    both = {"mer_a", "mer_b"}
    with pytest.raises(errors.Invalid):
        bill_refunds.refund(bill, ["itm_1", "itm_2"], both, transfer_id="trf_2", reason="cold", now=END)


@pytest.mark.parametrize("paid_by", [None, PaidBy("crd_1", "sandbox", "pay_1")], ids=["wallet", "card"])
def test_a_refund_goes_back_through_the_split_by_which_it_came(paid_by):
    """VB-20: from its seller to the wallet, or to the card, whose bank is asked to give back exactly that, naming what it took."""
    bill = closed(added(opened(), item(1, amount=10), item(2, amount=5), item(3, amount=7, merchant="mer_b")))
    bill = bills.after(
        bill, Settled(at=END, transfer_id="trf_1", list_hash=bill.list_hash(), method="pin", paid_by=paid_by)
    )
    movement = bill_refunds.movement(bill, refund(bill, "itm_1", "itm_2"), "chg_2")
    payee = ledger.card_funding("usr_1", "crd_1", "USD") if paid_by else ledger.wallet("usr_1", "USD")
    legs = ledger.pay(ledger.sales("mer_a", "USD"), [(payee, 15)])
    about = {"reason": "refund", "about": "bil_1", "reverses": "trf_1"}
    assert movement.transfer == ledger.transfer("trf_2", legs, at=END, kind="refund", **about)
    if paid_by is None:
        assert (movement.charge_id, movement.started) == ("", None)
        return
    asked = movement.started
    assert (movement.charge_id, asked.purpose, asked.amount, asked.of) == ("chg_2", "refund", 15, "pay_1")
    assert (asked.owner, asked.card, asked.bank, asked.about, asked.hold) == ("usr_1", "crd_1", "sandbox", "bil_1", "")
    assert asked.transfer not in ("", "trf_1", "trf_2")


def test_only_who_administers_a_merchant_with_items_in_a_bill_is_its_seller():
    """XX-05: to anyone else the bill does not exist."""
    bill = added(opened(), item(1), item(2, merchant="mer_b"))
    assert bill_sellers.administered(bill, User("usr_2", merchants=("mer_b", "mer_c"))) == {"mer_b"}
    for stranger in (None, User("usr_2"), User("usr_2", merchants=("mer_c",))):
        with pytest.raises(errors.NotFound):
            bill_sellers.administered(bill, stranger)


def test_a_bill_is_opened_for_no_shorter_than_the_stage_allows_and_with_a_cap_in_its_currency():
    """VB-03, VB-19."""
    bill_openings.check("USD", "USD", 5 * MINUTE, 5 * MINUTE)
    with pytest.raises(errors.Invalid) as refused:
        bill_openings.check("USD", "USD", 5 * MINUTE - 1, 5 * MINUTE)
    assert refused.value.facts["pointer"] == "/period_seconds"
    with pytest.raises(errors.Invalid) as refused:
        bill_openings.check("USD", "EUR", 5 * MINUTE, 5 * MINUTE)
    assert refused.value.facts["pointer"] == "/cap/currency"


def test_sellers_hear_of_what_concerns_them():
    """XX-03, XX-05: each change names the merchants whose items it touches, each once, with what the bill is to them."""
    bill = closed(added(opened(), item(1), item(2, merchant="mer_b"), item(3)))
    assert bill_sellers.concerned(bill, Unpaid(at=END)) == {"mer_a": "verifying", "mer_b": "verifying"}
    assert bill_sellers.concerned(bill, bills.dispute(bill, "itm_2", END)) == {"mer_b": "verifying"}
    assert bill_sellers.concerned(bill, Reminded(at=END)) == {}
    paid = settled(bill)
    assert bill_sellers.concerned(paid, Settled(at=END, transfer_id="trf_1", list_hash="", method="pin")) == {
        "mer_a": "settled",
        "mer_b": "settled",
    }
    given_back = refund(paid, "itm_1")
    assert bill_sellers.concerned(bills.after(paid, given_back), given_back) == {"mer_a": "partially_refunded"}
