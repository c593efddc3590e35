"""What banks say of charges once they were settled, in any order and as often as they like (CB-21, VB-20, LG-01)."""

import re
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from billfold import charges, ledger
from billfold.banks import TakenBack
from billfold.charges import charge_reviews
from billfold.charges.charge_changes import Declined, Disputed, RefundFailed, Reinstated, Settled
from tests.rules.test_charge_rules import BOUND, charge

SETTLED = charge(Settled(at=BOUND + 1, reference="pay_1"))


TO_WALLET = ledger.pay(ledger.card_funding("usr_1", "crd_1", "USD"), [(ledger.wallet("usr_1", "USD"), 1_250)])


def chargeback(transfer_id: str, amount: int, *, at: int, reverses: str) -> ledger.Transfer:
    """What the bank took back of the charge, or returned."""
    legs = ledger.pay(ledger.chargebacks("USD"), [(ledger.card_funding("usr_1", "crd_1", "USD"), amount)])
    return ledger.transfer(
        transfer_id, legs, at=at, kind="chargeback", reason="dispute", about="chg_1", reverses=reverses
    )


def test_a_top_up_that_is_paid_goes_from_the_card_to_the_wallet_and_is_about_its_charge():
    """CB-21: as its holder's statement shows it."""
    moved = charge_reviews.to_wallet(SETTLED, "top_up", BOUND + 2)
    assert moved == ledger.transfer("trf_1", TO_WALLET, at=BOUND + 2, kind="top_up", reason="top-up", about="chg_1")


def test_only_a_paid_top_up_and_a_declined_refund_reach_the_wallet():
    """CB-21, VB-20: what the bank took goes to the wallet, and what it did not give back does."""
    top_up, refund = charge(), charge(purpose="refund", about="bil_1")
    took, refused = Settled(at=BOUND + 2, reference="pay_1"), Declined(at=BOUND + 2, reason="closed")
    assert charge_reviews.settled(top_up, took) == charge_reviews.to_wallet(top_up, "top_up", BOUND + 2)
    assert charge_reviews.settled(refund, refused) == charge_reviews.to_wallet(refund, "refund", BOUND + 2)
    assert (charge_reviews.settled(top_up, refused), charge_reviews.settled(refund, took)) == (None, None)


def test_a_dispute_in_another_currency_or_in_no_units_of_ours_cannot_be_counted():
    """CB-21: what is left out is for operations to look at, not for the books."""
    taken = [TakenBack("dp_1", 5, "USD"), TakenBack("dp_2", 5, "EUR"), TakenBack("dp_3", None, "USD")]
    assert charge_reviews.countable(SETTLED, taken) == [("dp_1", 5)]


def test_a_refund_that_failed_later_goes_to_the_wallet_once():
    """VB-20, L-12: by the transfer whose id was fixed when it began; the charge is failed then."""
    refund = charge(
        Settled(at=BOUND + 1, reference="pay_2"), purpose="refund", about="bil_1", of="pay_1", transfer="trf_9"
    )
    change, moved = charge_reviews.refund_failed(refund, "card_closed", BOUND + 2)
    assert change == RefundFailed(at=BOUND + 2, reason="card_closed")
    assert moved == ledger.transfer("trf_9", TO_WALLET, at=BOUND + 2, kind="refund", reason="refund", about="bil_1")
    assert charges.after(refund, change).state == "failed"


def test_what_the_bank_took_back_is_booked_and_returned_by_a_transfer_that_names_the_first():
    """LG-01, LG-03: the bank owes it no more; whoever is to pay is not said; won, it is all as before."""
    change, taken = charge_reviews.disputed(SETTLED, [("dp_1", 1_000)], BOUND + 2)
    assert change == Disputed(at=BOUND + 2, dispute="dp_1", amount=1_000, transfer=taken.transfer_id)
    assert taken == chargeback(taken.transfer_id, 1_000, at=BOUND + 2, reverses=SETTLED.transfer_id)
    after = charges.after(SETTLED, change)
    assert (after.state, charge_reviews.disputed(after, [("dp_1", 1_000)], BOUND + 3)) == ("disputed", None)
    change, back = charge_reviews.disputed(after, [], BOUND + 4)
    assert change == Reinstated(at=BOUND + 4, dispute="dp_1", transfer=back.transfer_id)
    assert back == chargeback(back.transfer_id, -1_000, at=BOUND + 4, reverses=taken.transfer_id)
    assert back.transfer_id != taken.transfer_id
    assert replace(charges.after(after, change), revision=SETTLED.revision) == SETTLED


def test_every_chargeback_has_an_id_of_its_own():
    """LG-04: another charge, another dispute, or the same one taken back again after it was returned; repeated, it is the same."""

    def moved(reviewed: charges.Charge, dispute: str) -> str:
        found = charge_reviews.disputed(reviewed, [(dispute, 1_000)], BOUND + 2)
        assert found is not None
        return found[1].transfer_id

    others = [replace(SETTLED, transfer_id="trf_2"), replace(SETTLED, revision=SETTLED.revision + 1)]
    names = [moved(SETTLED, "dp_1"), moved(SETTLED, "dp_2"), *(moved(other, "dp_1") for other in others)]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"trf_[0-9a-f]{32}", name) for name in names)
    assert moved(SETTLED, "dp_1") == names[0]


words = st.dictionaries(st.sampled_from(["dp_1", "dp_2", "dp_3"]), st.integers(1, 1_250), max_size=3)


@settings(max_examples=300)
@given(st.lists(words, max_size=8))
def test_the_books_have_what_the_bank_has_taken_after_each_word_however_often_it_comes(told):
    """LG-01, LG-04: every transfer once, all of them sum to what is taken now; a word that says nothing new changes nothing."""
    seen, moved, amounts = SETTLED, [], {}
    for word in told:
        word = {dispute: amounts.setdefault(dispute, amount) for dispute, amount in word.items()}
        for _ in range(2):
            while found := charge_reviews.disputed(seen, word.items(), BOUND + 2):
                seen = charges.after(seen, found[0])
                moved.append(found[1])
        assert {one.dispute: one.amount for one in seen.disputes} == word
        assert seen.state == ("disputed" if word else "settled")
        lost = sum(leg.amount for one in moved for leg in one.legs if leg.account.name == "chargebacks/USD")
        assert lost == -sum(word.values())
    assert len({one.transfer_id for one in moved}) == len(moved)
