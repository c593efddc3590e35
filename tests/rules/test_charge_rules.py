"""The rules of charges: their two ends, the patience with a bank, and the comparison that finds every difference (CB-21)."""

from dataclasses import replace
from functools import reduce

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billfold import bills, charges, ledger
from billfold.banks import Payment, Verdict
from billfold.bills import bill_payments
from billfold.bills.bill_changes import PaidBy, SettlementFailed, Settling
from billfold.bills.bill_changes import Settled as BillSettled
from billfold.bills.bill_payments import Movement
from billfold.cards.card_changes import Activated, Asked, Checked
from billfold.charges import Charge, Difference, Line, charge_asks
from billfold.charges.charge_changes import Declined, Settled, Started
from billfold.ledger.ledger_errors import AlreadyResolved
from billfold.money import Money
from tests.rules.bill_worlds import MINUTE, OPENED, added, closed, item, opened
from tests.rules.card_worlds import BOUND, FIELDS, HOUR, TOKEN, heard, lived

ACTIVE = lived(Checked(at=BOUND), Asked(at=BOUND, fields_sent=FIELDS), heard("approved"), Activated(at=BOUND))
DAY = 24 * HOUR


class Scripted:
    """A bank of which each call's answer is known before; `heard` are the calls."""

    def __init__(self, **answers: Payment | Verdict) -> None:
        self.answers, self.heard = answers, list[str]()

    def __getattr__(self, name: str) -> object:
        def call(*_: object) -> Payment | Verdict:
            self.heard.append(name)
            return self.answers[name]

        return call


def started(**fields: object) -> Started:
    begun = charges.start(ACTIVE, Money(1_250, "USD"), "top_up", "", BOUND, hold="hld_1", transfer="trf_1")
    return replace(begun, **fields)


def charge(*changes: Settled | Declined, **fields: object) -> Charge:
    return reduce(charges.after, changes, charges.new("chg_1", started(**fields)))


# ------------------------------------------------------------------------------------------------------------- a charge


def test_a_charge_begins_settling_with_all_that_the_bank_and_the_ledger_need():
    """CB-21: the card's own bank and token, the amount, and the ids of hold and transfer, before anyone is asked."""
    begun = charge(about="bil_1", purpose="bill")
    assert (begun.state, begun.revision, begun.owner, begun.card) == ("settling", 1, "usr_1", "crd_1")
    assert (begun.bank, begun.token, begun.amount, begun.currency) == ("sandbox", TOKEN, 1_250, "USD")
    assert (begun.purpose, begun.about, begun.of) == ("bill", "bil_1", "")
    assert (begun.hold_id, begun.transfer_id, begun.started_at) == ("hld_1", "trf_1", BOUND)


@pytest.mark.parametrize(
    ("outcome", "change"),
    [
        ("charged", Settled(at=BOUND + 1, reference="pay_1")),
        ("refunded", Settled(at=BOUND + 1, reference="pay_1")),
        ("declined", Declined(at=BOUND + 1, reason="no_funds")),
        ("unknown", None),
        ("absent", None),
    ],
)
def test_the_bank_s_word_settles_or_declines_and_silence_does_neither(outcome, change):
    """CB-21: nothing is ever assumed."""
    assert charges.resolve(charge(), outcome, "pay_1", "no_funds", BOUND + 1) == change


@pytest.mark.parametrize("end", [Settled(at=BOUND, reference="pay_1"), Declined(at=BOUND, reason="no_funds")])
@pytest.mark.parametrize("outcome", ["charged", "refunded", "declined", "unknown"])
def test_a_charge_ends_once(end, outcome):
    """CB-21: whatever the bank says afterwards."""
    over = charge(end)
    with pytest.raises(AlreadyResolved) as refusal:
        charges.resolve(over, outcome, "pay_2", "", BOUND + 1)
    assert refusal.value.facts["state"] == over.state


def test_a_settled_charge_knows_the_bank_s_reference():
    """CB-21: refunds of it name that reference."""
    over = charge(Settled(at=BOUND + 1, reference="pay_1"))
    assert (over.state, over.reference, over.revision) == ("settled", "pay_1", 2)
    assert (charge(Declined(at=BOUND + 1, reason="x")).state, charge(Declined(at=BOUND + 1, reason="x")).reference) == (
        "declined",
        "",
    )


def test_a_charge_is_due_two_hours_after_its_start_while_it_is_settling():
    """CB-21, XX-04: then it is something to look into; once over, it is in no index."""
    assert charge().due_at == BOUND + 2 * HOUR
    assert charge(Settled(at=BOUND, reference="pay_1")).due_at is charge(Declined(at=BOUND, reason="x")).due_at is None


def test_a_silent_bank_is_asked_twelve_times_each_time_later():
    """CB-21: 2, 4, 8 … 900 seconds, as long as SQS can wait; then the daily comparison takes over."""
    delays = [charges.delay_seconds(asks) for asks in range(13)]
    assert delays == [2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900, None]
    assert charges.delay_seconds(10**6) is None
    assert sum(delay or 0 for delay in delays) * 1_000 < charges.OVERDUE


def test_what_is_no_charge_s_beginning_or_change_is_a_fault():
    """A journal that lost its beginning, or has a change that the rules forgot, never passes silently."""
    with pytest.raises(AssertionError):
        charges.new("chg_1", Settled(at=BOUND, reference="pay_1"))
    with pytest.raises(TypeError, match="no such change"):
        charges.after(charge(), object())  # type: ignore[arg-type]


def test_neither_a_charge_nor_its_start_shows_the_token_when_printed():
    """CB-18."""
    assert TOKEN not in f"{charge()!r} {started()!r}"


def test_a_charge_says_what_it_is_for():
    """CB-21: its purpose, and the bill that it pays."""
    begun = charges.start(ACTIVE, Money(1, "USD"), "bill", "bil_1", BOUND, hold="hld_1", transfer="trf_1")
    assert (begun.purpose, begun.about, begun.of) == ("bill", "bil_1", "")


def test_the_bank_s_list_is_read_until_an_hour_after_the_day_or_now_and_no_longer_than_it_grows():
    """CB-21: what the bank dates a little later is there, and what it may still make of the day."""
    day = charges.Day(100 * DAY)
    last = day.until + 21 * HOUR
    for now, until in ((day.until, HOUR), (day.until + HOUR + 1, HOUR + 1), (last + HOUR, 21 * HOUR)):
        assert day.listed_until(now) == day.until + until


def test_a_bank_is_asked_anew_while_it_certainly_knows_the_key():
    """CB-21: for twenty hours; after that it is looked up only."""
    begun = charge()
    assert charges.may_ask(begun, BOUND + 20 * HOUR - 1)
    assert not charges.may_ask(begun, BOUND + 20 * HOUR)


def test_the_days_to_compare_are_the_fourteen_before_today_the_oldest_first():
    """CB-21, L-14: whole days of UTC, whenever it is asked; today is not over."""
    midnight = BOUND - BOUND % DAY
    days = [charges.Day(midnight - back * DAY) for back in range(14, 0, -1)]
    for now in (midnight, BOUND, midnight + DAY - 1):
        assert charges.days_to_compare(now) == days
    assert charges.days_to_compare(midnight - 1)[-1] == days[-2]


# ------------------------------------------------------------------------------------------------------- a bill by card


@pytest.mark.parametrize(
    ("asked", "later", "known", "heard_calls", "outcome"),
    [
        (False, 0, Payment("absent"), ["charge"], "charged"),
        (True, 0, Payment("absent"), ["status", "charge"], "charged"),
        (True, 0, Payment("declined"), ["status"], "declined"),
        (True, 0, Payment("unknown"), ["status"], "unknown"),
        (True, 0, Verdict("unknown"), ["status"], "unknown"),
        (False, charges.ASKED_WITHIN - 1, Payment("absent"), ["charge"], "charged"),
        (False, charges.ASKED_WITHIN, Payment("absent"), ["status"], "unknown"),
        (False, charges.ASKED_WITHIN, Payment("charged"), ["status"], "charged"),
    ],
)
def test_a_bank_that_may_know_of_a_charge_is_asked_what_became_of_it_first(asked, later, known, heard_calls, outcome):
    """CB-21: never charged twice: not while a bank is silent, and not once it may have forgotten the key."""
    bank = Scripted(status=known, charge=Payment("charged"))
    assert charge_asks.ask(bank, charge(), BOUND + later, asked=asked).outcome == outcome
    assert bank.heard == heard_calls


def test_a_refund_is_asked_for_as_a_refund():
    """VB-20."""
    bank = Scripted(refund=Payment("refunded"))
    assert charge_asks.ask(bank, charge(purpose="refund", of="pay_1"), BOUND, asked=False) == Payment("refunded")


def bill_to_verify() -> bills.Bill:
    """A bill of two sellers, closed."""
    return closed(added(opened(), item(1, amount=1_000), item(2, amount=250, merchant="mer_b")))


def bill_settling(charge_id: str = "chg_1") -> bills.Bill:
    """A bill of two sellers, verified, that waits for its charge."""
    bill = bill_to_verify()
    return bills.after(
        bill, Settling(at=OPENED + 3 * MINUTE, charge=charge_id, card="crd_1", list_hash=bill.list_hash(), method="pin")
    )


def test_a_bill_is_paid_by_one_debit_of_the_card_s_account_and_one_credit_per_seller():
    """VB-17, CB-21, L-1."""
    made, word = charge(purpose="bill", about="bil_1"), Settled(at=BOUND, reference="pay_1")
    assert bill_payments.after_charge(made, bill_settling(), word).transfer == bill_transfer(
        ledger.card_funding("usr_1", "crd_1", "USD"), BOUND
    )


def bill_transfer(payer: ledger.Account, at: int) -> ledger.Transfer:
    """What pays the two sellers of the bill."""
    sellers = [(ledger.sales("mer_a", "USD"), 1_000), (ledger.sales("mer_b", "USD"), 250)]
    return ledger.transfer("trf_1", ledger.pay(payer, sellers), at=at, kind="bill", reason="bill", about="bil_1")


MARKS = {"operation": "opr_1", "request": "fingerprint"}


def ids(prefix: str) -> str:
    """What an operation yields."""
    return f"{prefix}_1"


def test_a_wallet_pays_every_seller_at_once_and_the_change_names_list_method_and_request():
    """VB-17, VB-14, LG-10: with exactly enough."""
    bill = bill_to_verify()
    movement = bill_payments.by_wallet(bill, ledger.Balance(1_250, 9), ids, BOUND, MARKS)
    settled = BillSettled(at=BOUND, transfer_id="trf_1", list_hash=bill.list_hash(), method="pin", **MARKS)
    assert movement == Movement(settled, bill_transfer(ledger.wallet("usr_1", "USD"), BOUND))


def test_a_wallet_that_lacks_one_cent_pays_nobody_and_the_change_says_what_there_was():
    """VB-17, LG-06: what is held is not there; the refusal is kept with the request that met it."""
    movement = bill_payments.by_wallet(bill_to_verify(), ledger.Balance(1_249, 9_000), ids, BOUND, MARKS)
    facts = {"available_minor": 1_249}
    assert movement == Movement(SettlementFailed(at=BOUND, refusal="balance_too_low", facts=facts, **MARKS))


def test_a_bill_that_a_card_pays_waits_for_exactly_that_charge():
    """VB-14, VB-17, CB-21: list, method, card and request are in the change, and the charge is of the whole bill."""
    bill = bill_to_verify()
    settling = Settling(at=BOUND, charge="chg_1", card="crd_1", list_hash=bill.list_hash(), method="pin", **MARKS)
    begun = charges.start(ACTIVE, Money(1_250, "USD"), "bill", "bil_1", BOUND, hold="hld_1", transfer="trf_1")
    movement = bill_payments.by_card(bill, ACTIVE, ids, BOUND, MARKS)
    assert movement == Movement(settling, charge_id="chg_1", started=begun)


def test_a_bill_is_settled_by_the_charge_that_it_waits_for_and_by_no_other():
    """VB-17: another charge's word, or a bill that does not wait, is a fault."""
    for bill, said in ((bill_settling("chg_2"), "one charge at a time"), (bill_to_verify(), "ends settling")):
        with pytest.raises(AssertionError, match=said):
            bill_payments.after_charge(charge(purpose="bill"), bill, Settled(at=BOUND, reference="pay_1"))


def test_a_bill_whose_charge_is_declined_keeps_its_items_for_another_instrument():
    """VB-17: paid, it names card, bank and reference for its refunds; declined, it has failed."""
    bill, made = bill_settling(), charge(purpose="bill")
    paid = bill_payments.after_charge(made, bill, Settled(at=BOUND, reference="pay_1")).change
    paid_by = PaidBy("crd_1", "sandbox", "pay_1")
    assert paid == BillSettled(at=BOUND, transfer_id="trf_1", list_hash=bill.list_hash(), method="pin", paid_by=paid_by)
    failed = bill_payments.after_charge(made, bill, Declined(at=BOUND, reason="no_funds"))
    assert failed == Movement(SettlementFailed(at=BOUND, refusal="card_declined", facts={}))
    after = bills.after(bill, failed.change)
    assert (after.state, [each.state for each in after.items]) == ("failed", ["added", "added"])


# ------------------------------------------------------------------------------------------------------ reconciliation

SINCE, UNTIL = 100 * DAY, 101 * DAY
NEAR = (SINCE - HOUR, SINCE - 1, SINCE, SINCE + 1, SINCE + 12 * HOUR, UNTIL - 1, UNTIL, UNTIL + HOUR - 1)
lines = st.builds(
    Line,
    st.just(""),
    st.sampled_from([1, 250, 251, 10**12]),
    st.sampled_from(["USD", "JPY"]),
    st.sampled_from(["settled", "declined", "settling"]),
    st.sampled_from(NEAR),
    st.sampled_from(["charge", "refund"]),
)
SEEDS = (
    "agreed",
    "not at the bank",
    "missing_here",
    "missing_there",
    "amount",
    "currency",
    "reference",
    "kind",
    "state",
    "repeated",
    "amount and repeated",
    "without a key",
    "foreign key",
)
seeded = st.lists(st.tuples(st.sampled_from(SEEDS), lines, st.sampled_from([-HOUR, -1, 0, 1, HOUR])), max_size=30)
Seeded = tuple[list[Line], list[Line], list[tuple[str, Line | None, Line | None]]]


def seed(kind: str, line: Line, drift: int) -> Seeded:
    """Our lines, the bank's, and the differences between them, each as kind, ours and theirs."""
    there = replace(line, state="settled", at=line.at + drift, reference=f"pay_{line.key}_1")
    more = replace(there, reference=f"pay_{line.key}_2")
    here = replace(line, state="settled", reference=there.reference)
    open_ = replace(line, state="declined" if line.state == "settled" else line.state)
    wrong = replace(there, amount=there.amount + 1)
    match kind:
        case "agreed":
            return [here], [there], []
        case "not at the bank":
            return [open_], [], []
        case "missing_here":
            return [], [there], [("missing_here", None, there)]
        case "missing_there":
            return [here], [], [("missing_there", here, None)]
        case "amount":
            return [here], [wrong], [("amount", here, wrong)]
        case "currency":
            other = replace(there, currency="JPY" if there.currency == "USD" else "USD")
            return [here], [other], [("amount", here, other)]
        case "reference":
            return [here], [more], [("reference", here, more)]
        case "kind":
            other = replace(there, kind="refund" if line.kind == "charge" else "charge")
            return [here], [other], [("kind", here, other), ("missing_there", here, None)]
        case "state":
            return [open_], [there], [("state", open_, there)]
        case "repeated":
            return [here], [more, there], [("repeated", here, more)]
        case "amount and repeated":
            return [here], [wrong, more], [("amount", here, wrong), ("repeated", here, more)]
    key = "" if kind == "without a key" else line.key
    foreign = [replace(one, key=key) for one in (there, more)]
    return [], foreign, [("missing_here", None, one) for one in foreign]


def built(wanted: list[tuple[str, Line, int]]) -> Seeded:
    ours, theirs, expected = [], [], []
    for number, (kind, line, drift) in enumerate(wanted):
        here, there, differences = seed(kind, replace(line, key=f"chg_{number:04d}"), drift)
        ours += here
        theirs += there
        expected += differences
    return ours, theirs, expected


def told(found: list[Difference]) -> list[tuple[str, Line | None, Line | None]]:
    return sorted(((one.kind, one.here, one.there) for one in found), key=repr)


@settings(max_examples=300, derandomize=True, database=None)
@given(seeded, st.randoms(use_true_random=False))
def test_every_seeded_difference_of_the_day_is_found_and_none_is_invented(wanted, shuffle):
    """CB-21, L-14: each fault by itself, also two about one charge; of thousands that agree, of clocks that differ by up to an
    hour, of a page that was read twice, and of what belongs to another day: nothing."""
    ours, theirs, expected = built(wanted)
    theirs += theirs[::7]
    shuffle.shuffle(ours)
    shuffle.shuffle(theirs)
    of_the_day = [one for one in expected if SINCE <= (one[1] or one[2]).at < UNTIL]
    assert told(charges.compare(ours, theirs, SINCE, UNTIL)) == sorted(of_the_day, key=repr)


@settings(max_examples=100, derandomize=True, database=None)
@given(seeded)
def test_a_difference_is_told_on_exactly_one_day(wanted):
    """CB-21: three days in a row, each with its margin, name it once in all."""
    ours, theirs, _ = built(wanted)
    days = [(SINCE + DAY * day, UNTIL + DAY * day) for day in (-1, 0, 1)]
    apart = [one for day in days for one in charges.compare(ours, theirs, *day)]
    assert told(apart) == told(charges.compare(ours, theirs, days[0][0], days[-1][1]))


def test_a_line_of_an_earlier_version_has_no_reference_to_compare():
    """L-14: what was settled before references were kept beside the amount is compared without."""
    ours = Line("chg_1", 5, "USD", "settled", SINCE)
    assert charges.compare([ours], [replace(ours, reference="pay_1")], SINCE, UNTIL) == []


def test_what_is_still_settling_is_a_difference_only_where_the_bank_has_done_it():
    """CB-21: that is the one thing that the queue's asking has missed."""
    settling = Line("chg_1", 5, "USD", "settling", SINCE)
    assert charges.compare([settling], [], SINCE, UNTIL) == []
    [found] = charges.compare([settling], [replace(settling, state="settled")], SINCE, UNTIL)
    assert (found.kind, found.key) == ("state", "chg_1")


@pytest.mark.parametrize(("amount", "counted"), [(1_200, 12), (1_250, None)])
def test_our_list_is_compared_in_the_bank_s_units(amount, counted):
    """LG-02: 12.00 MGA is 12 at Stripe; 12.50 MGA, which an earlier version charged a hundredfold, is never what it lists."""
    ours = charges.as_counted(Line("chg_1", amount, "MGA", "settled", SINCE), "stripe")
    assert ours.amount == counted
    for theirs in (12, 1_200, 1_250):
        found = charges.compare([ours], [replace(ours, amount=theirs)], SINCE, UNTIL)
        assert [one.kind for one in found] == ([] if theirs == counted else ["amount"])


# ------------------------------------------------------------------------------------------------------- cards' accounts


@pytest.mark.parametrize("currency", ["USD", "JPY", "KWD"])
def test_a_card_s_account_is_found_again_by_its_name(currency):
    """L-10: one row without a floor; its name says whose card it is and in which currency."""
    account = ledger.card_funding("usr_1", "crd_1", currency)
    assert account.name == f"card/usr_1/crd_1/{currency}"
    assert ledger.account(account.name) == account
    assert (account.currency, account.lanes, account.floor) == (currency, 1, False)


@pytest.mark.parametrize("name", ["card/USD", "card/usr_1/USD", "card", "cards/usr_1/crd_1/USD"])
def test_half_a_card_s_name_is_no_account(name):
    """A stored name that is not ours is a fault, never a new account."""
    with pytest.raises(ValueError, match="no such account"):
        ledger.account(name)


def test_a_card_s_account_holds_what_its_bank_is_asked_for_though_nothing_is_on_it():
    """L-10, L-11: held and posted it goes below zero, which is the bank's debt; voided it is as it was."""
    held = ledger.hold("hld_1", ledger.card_funding("usr_1", "crd_1", "USD"), 100, expires_at=50, now=10)
    before = ledger.Balance()
    holding = ledger.after_hold(before, held)
    assert (holding.available, holding.held, holding.posted) == (-100, 100, 0)
    assert ledger.after_resolved(holding, ledger.post_hold(held, 100, now=20)).posted == -100
    assert ledger.after_resolved(holding, ledger.void_hold(held)) == before
