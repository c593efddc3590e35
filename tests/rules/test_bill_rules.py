"""The rules of bills by example, one requirement after another (VB-02 to VB-12, VB-19)."""

from dataclasses import replace

import pytest

from billfold import bills, errors
from billfold.bills import bill_errors, bill_items, bill_sellers
from billfold.bills.bill_changes import ItemDisputed, ItemsAdded, ItemVoided, Outcome, Reminded
from billfold.ledger import ledger_errors
from billfold.money import MAX_AMOUNT_MINOR
from tests.rules.bill_worlds import MINUTE, OPENED, PERIOD, added, closed, ended, item, opened, settled

HOUR = 60 * MINUTE
END = OPENED + PERIOD
LATEST_TAP = END + 10 * MINUTE


# ------------------------------------------------------------------------------------------------- opening and taking


def test_a_bill_opens_for_one_device_with_a_fixed_period():
    """VB-02, VB-03: four hours by default, five minutes to a day; nothing that happens later moves its end."""
    bill = opened()
    assert (bill.owner, bill.device, bill.state, bill.expires_at) == ("usr_1", "dev_1", "active", END)
    assert (bills.PERIOD_DEFAULT, bills.PERIOD_MIN, bills.PERIOD_MAX) == (4 * HOUR, 5 * MINUTE, 24 * HOUR)
    assert settled(closed(added(bill, item(1)))).expires_at == END


def test_items_are_taken_until_the_last_instant_of_the_period():
    """VB-05: the period's end itself is out, for the tap and for the signature."""
    bill = opened()
    bill_items.check_item(bill, item(1, signed_at=END - 1), END - 1)
    assert not bill_items.is_late(bill, END - 1)
    assert bill_items.is_late(bill, END)
    with pytest.raises(bill_errors.BillClosed):
        bill_items.check_item(bill, item(1, signed_at=END), END)


def test_a_tap_signed_in_time_may_come_ten_minutes_late():
    """VB-08: whether or not the sweep has ended the bill yet."""
    active = added(opened(), item(1))
    for bill in (active, ended(active), ended(opened())):
        bill_items.check_accepts(bill, LATEST_TAP)
        with pytest.raises(bill_errors.BillClosed):
            bill_items.check_accepts(bill, LATEST_TAP + 1)


def test_a_bill_that_its_user_closed_takes_no_late_tap():
    """VB-08: late taps are for a period that ended by itself."""
    with pytest.raises(bill_errors.BillClosed):
        bill_items.check_accepts(closed(added(opened(), item(1))), OPENED + 3 * MINUTE)
    with pytest.raises(bill_errors.BillClosed):
        bill_items.check_accepts(closed(opened()), OPENED + 3 * MINUTE)


def test_a_late_tap_is_taken_until_the_bill_is_verified():
    """VB-08: verified, paid or failed, the list stands."""
    bill = ended(added(opened(), item(1)))
    bill_items.check_accepts(bill, END + 1)
    for state in ("settled", "failed", "unpaid", "cancelled"):
        with pytest.raises(bill_errors.BillClosed):
            bill_items.check_accepts(replace(bill, state=state), END + 1)


def test_a_late_tap_brings_an_empty_bill_back_to_be_verified():
    """VB-08, VB-18: its user then has 30 minutes from that tap."""
    bill = added(ended(opened()), item(1), now=END + 5 * MINUTE)
    assert (bill.state, bill.verify_by) == ("verifying", END + 35 * MINUTE)


def test_a_list_is_asked_for_when_there_is_one_that_nobody_was_asked_to_verify():
    """VB-13, VB-14: at the end, when an empty bill comes back, and when it changed; not while taps still come."""
    active, empty = added(opened(), item(1)), ended(opened())
    waiting = ended(active)
    for before, after, asks in (
        (None, opened(), False),
        (active, added(active, item(2)), False),
        (active, waiting, True),
        (empty, added(empty, item(1), now=END + 1), True),
        (opened(), empty, False),
        (waiting, added(waiting, item(2), now=END + 1), True),
        (waiting, bills.after(waiting, Reminded(at=END + 15 * MINUTE)), False),
        (waiting, settled(waiting, END + 1), False),
    ):
        assert bills.asks_anew(before, after) is asks


def test_a_batch_of_refusals_does_not_bring_an_empty_bill_back():
    """VB-18: a forged tap after the end is recorded, and the bill stays ended."""
    refusal = ItemsAdded(at=END + 1, items=[], outcomes=[Outcome("refused", refusal="signature_invalid")], late=True)
    assert bills.after(ended(opened()), refusal).state == "expired_empty"


@pytest.mark.parametrize("signed_at", [OPENED - 2 * MINUTE - 1, OPENED + 3 * MINUTE + 1])
def test_a_tap_from_before_the_bill_or_from_the_future_is_invalid(signed_at):
    """VB-06: a terminal's clock may be two minutes off, no more."""
    with pytest.raises(errors.Invalid) as refusal:
        bill_items.check_item(opened(), item(1, signed_at=signed_at), OPENED + MINUTE)
    assert refusal.value.facts["pointer"] == "/signed_at"
    for allowed in (OPENED - 2 * MINUTE, OPENED + 3 * MINUTE):
        bill_items.check_item(opened(), item(1, signed_at=allowed), OPENED + MINUTE)


def test_a_terminal_s_counter_rises_on_each_bill():
    """VB-07: the same or a lower counter is refused; another terminal counts for itself; gaps are fine."""
    bill = added(opened(), item(5))
    for counter in (5, 4, 0):
        with pytest.raises(bill_errors.CounterReused):
            bill_items.check_item(bill, item(9, counter=counter), OPENED + MINUTE)
    bill_items.check_item(bill, item(9, counter=5, terminal="trm_b"), OPENED + MINUTE)
    bill_items.check_item(bill, item(9, counter=500), OPENED + MINUTE)
    bill_items.check_item(opened(), item(9, counter=0), OPENED + MINUTE)


def test_a_voided_item_s_counter_stays_used():
    """VB-07: taking an item back does not let its copy in."""
    bill = added(opened(), item(5))
    bill = bills.after(bill, bill_sellers.void(bill, "itm_5", {"mer_a"}, OPENED + MINUTE))
    with pytest.raises(bill_errors.CounterReused):
        bill_items.check_item(bill, item(5), OPENED + MINUTE)


def test_the_same_tap_is_recognised_and_a_copy_with_other_lines_is_not():
    """VB-11: an item is the same when terminal, counter, signature and lines are."""
    bill = added(opened(), item(1))
    assert bill_items.same_item(bill, item(1)) == bill.items[0]
    for changed in ({"signature": "other"}, {"lines": []}, {"counter": 2}, {"terminal": "trm_b"}):
        assert bill_items.same_item(bill, item(1, **changed)) is None


def test_only_suspicious_refusals_are_kept_in_the_record():
    """VB-07: forged, cloned and unknown terminals leave a trace; a tap over the cap does not; what landed always does."""

    def batch(refusal: str, *items: bills.Item) -> ItemsAdded:
        return ItemsAdded(
            at=OPENED + MINUTE, items=list(items), outcomes=[Outcome("refused", refusal=refusal)], late=False
        )

    bill = opened()
    for code in ("signature_invalid", "counter_reused", "terminal_refused"):
        assert bill_items.worth_recording(bill, batch(code))
        assert not bill_items.worth_recording(closed(bill), batch(code))
        assert not bill_items.worth_recording(replace(bill, revision=bill_items.MAX_CHANGES), batch(code))
    assert not bill_items.worth_recording(bill, batch("cap_exceeded"))
    assert bill_items.worth_recording(bill, batch("cap_exceeded", item(1)))


# ---------------------------------------------------------------------------------------------------- sums and limits


def test_the_total_is_the_sum_of_what_counts():
    """VB-10: voided and disputed items are shown and not counted."""
    bill = added(opened(), item(1, amount=100), item(2, amount=20), item(3, amount=3))
    bill = bills.after(bill, bill_sellers.void(bill, "itm_1", {"mer_a"}, OPENED + MINUTE))
    bill = bills.after(bill, bills.dispute(bill, "itm_2", OPENED + MINUTE))
    assert bill.total == bills.Money(3, "USD")
    assert [each.state for each in bill.items] == ["voided", "disputed", "added"]


def test_each_seller_is_owed_its_own_items():
    """VB-09, VB-17: in the order of their first taps, together the total."""
    taps = [("mer_b", 5), ("mer_a", 10), ("mer_b", 7)]
    bill = added(opened(), *[item(n, merchant=merchant, amount=amount) for n, (merchant, amount) in enumerate(taps)])
    assert list(bill.by_seller().items()) == [("mer_b", 12), ("mer_a", 10)]


def test_a_bill_takes_items_from_forty_sellers_and_not_from_a_forty_first():
    """VB-09: 40 fit into one settlement; those forty may go on tapping."""
    bill = added(opened(), *[item(n, merchant=f"mer_{n}") for n in range(40)])
    with pytest.raises(bill_errors.BillFull) as refusal:
        bill_items.check_item(bill, item(99, merchant="mer_40"), OPENED + MINUTE)
    assert refusal.value.facts == {"limit": 40}
    bill_items.check_item(bill, item(99, merchant="mer_39"), OPENED + MINUTE)


def test_a_bill_takes_two_hundred_items():
    """The limit is on items ever tapped, voided ones included, so that a bill's rows stay few."""
    bill = added(opened(), *[item(n) for n in range(199)])
    bill_items.check_item(bill, item(500), OPENED + MINUTE)
    full = added(bill, item(500))
    with pytest.raises(bill_errors.BillFull) as refusal:
        bill_items.check_item(full, item(501), OPENED + MINUTE)
    assert refusal.value.facts == {"limit": 200}


def test_no_bill_grows_beyond_what_one_transfer_may_move():
    """LG-02: a bill that could not be settled must not come to be."""
    bill = added(opened(), item(1, amount=MAX_AMOUNT_MINOR - 1))
    bill_items.check_item(bill, item(2, amount=1), OPENED + MINUTE)
    with pytest.raises(ledger_errors.TransferTooLarge) as refusal:
        bill_items.check_item(bill, item(2, amount=2), OPENED + MINUTE)
    assert refusal.value.facts == {"limit_minor": MAX_AMOUNT_MINOR}


def test_an_item_over_the_cap_is_refused_and_smaller_ones_still_fit():
    """VB-19: the cap is inclusive; a voided item makes room again."""
    bill = added(opened(cap=150), item(1, amount=100))
    with pytest.raises(bill_errors.CapExceeded) as refusal:
        bill_items.check_item(bill, item(2, amount=51), OPENED + MINUTE)
    assert refusal.value.facts == {"cap_minor": 150, "total_minor": 100}
    bill_items.check_item(bill, item(2, amount=50), OPENED + MINUTE)
    bill = bills.after(bill, bill_sellers.void(bill, "itm_1", {"mer_a"}, OPENED + MINUTE))
    bill_items.check_item(bill, item(2, amount=150), OPENED + MINUTE)


# -------------------------------------------------------------------------------------------------- voids and disputes


def test_a_seller_takes_back_its_own_item_and_no_other_s():
    """VB-12, XX-05: another seller's item does not exist for it."""
    bill = added(opened(), item(1))
    assert bill_sellers.void(bill, "itm_1", {"mer_z", "mer_a"}, OPENED + 5) == ItemVoided(
        at=OPENED + 5, item_id="itm_1", by="mer_a"
    )
    for name, merchants in (("itm_1", {"mer_b"}), ("itm_1", set()), ("itm_9", {"mer_a"})):
        with pytest.raises(errors.NotFound):
            bill_sellers.void(bill, name, merchants, OPENED + 5)


def test_a_seller_cannot_take_an_item_back_once_the_period_is_over():
    """VB-12: before closing only, even when the sweep has not come by yet."""
    bill = added(opened(), item(1))
    for late, now, state in ((bill, END, "closed"), (closed(bill), OPENED + 3 * MINUTE, "verifying")):
        with pytest.raises(bill_errors.BillStateConflict) as refusal:
            bill_sellers.void(late, "itm_1", {"mer_a"}, now)
        assert refusal.value.facts == {"state": state}
    assert bill_sellers.void(bill, "itm_1", {"mer_a"}, END - 1).at == END - 1


def test_an_item_is_voided_or_disputed_once():
    """VB-12: what was taken back cannot be disputed, and the other way round."""
    bill = added(opened(), item(1))
    voided = bills.after(bill, bill_sellers.void(bill, "itm_1", {"mer_a"}, OPENED + 5))
    disputed = bills.after(bill, bills.dispute(bill, "itm_1", OPENED + 5))
    for gone, state in ((voided, "voided"), (disputed, "disputed")):
        with pytest.raises(bill_errors.ItemStateConflict) as refusal:
            bill_sellers.void(gone, "itm_1", {"mer_a"}, OPENED + 6)
        assert refusal.value.facts == {"state": state}
        with pytest.raises(bill_errors.ItemStateConflict) as refusal:
            bills.dispute(gone, "itm_1", OPENED + 6)
        assert refusal.value.facts == {"state": state}


def test_a_user_disputes_until_the_bill_is_paid():
    """VB-12: active, being verified or failed; not once it is settled or over."""
    bill = closed(added(opened(), item(1), item(2)))
    for state in ("active", "verifying", "failed"):
        assert bills.dispute(replace(bill, state=state), "itm_1", END) == ItemDisputed(at=END, item_id="itm_1")
    for state in ("settling", "settled", "unpaid", "cancelled", "expired_empty", "refunded"):
        with pytest.raises(bill_errors.BillStateConflict) as refusal:
            bills.dispute(replace(bill, state=state), "itm_1", END)
        assert refusal.value.facts == {"state": state}


def test_disputing_everything_cancels_a_bill_that_waits_for_verification():
    """VB-12: with nothing left to pay there is nothing to verify, and nothing falls due."""
    bill = closed(added(opened(), item(1)))
    cancelled = bills.after(bill, bills.dispute(bill, "itm_1", END))
    assert (cancelled.state, cancelled.total.amount, cancelled.due_at) == ("cancelled", 0, None)
    active = added(opened(), item(1))
    assert bills.after(active, bills.dispute(active, "itm_1", END)).state == "active"


@pytest.mark.parametrize("signed_at", [OPENED + 3 * MINUTE + 1, END, END + 1000 * MINUTE])
def test_a_terminal_whose_clock_is_ahead_is_not_told_that_the_bill_has_closed(signed_at):
    """D18: however far ahead; and one from before the bill hears that."""
    with pytest.raises(errors.Invalid) as refusal:
        bill_items.check_item(opened(), item(1, signed_at=signed_at), OPENED + MINUTE, "/items/3")
    ahead = "the terminal's clock is ahead: the item is dated in the future"
    assert refusal.value.facts == {"reason": ahead, "pointer": "/items/3/signed_at"}
    with pytest.raises(errors.Invalid) as refusal:
        bill_items.check_item(opened(), item(1, signed_at=OPENED - 3 * MINUTE), OPENED + MINUTE)
    assert refusal.value.facts == {"reason": "the item is dated before this bill was opened", "pointer": "/signed_at"}


def test_a_bill_keeps_refusals_up_to_a_bound():
    """G40, VB-07: they are counted as they are recorded, whatever landed beside them."""
    bill = opened()
    for number in range(20):
        assert bill.refused_items == 50 * number
        bill_items.check_room(bill)
        outcomes = [Outcome("refused", refusal="signature_invalid")] * 50 + [Outcome("added", "itm")]
        bill = bills.after(bill, ItemsAdded(at=OPENED + 1, items=[item(number)], outcomes=outcomes, late=False))
    with pytest.raises(bill_errors.BillFull) as refusal:
        bill_items.check_room(bill)
    assert refusal.value.facts == {"limit": 1_000}
