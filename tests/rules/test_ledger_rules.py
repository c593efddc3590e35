"""The ledger's rules by example; docs/ledger.md numbers the invariants. `test_ledger_machine.py` walks them at random."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billfold import errors, ledger
from billfold.ledger import Balance, Leg, ledger_errors
from billfold.money import MAX_AMOUNT_MINOR

ALICE, BOB = ledger.wallet("usr_alice", "USD"), ledger.wallet("usr_bob", "USD")
SHOP, WORLD = ledger.sales("mer_shop", "USD"), ledger.funding("USD")


def moved(*legs: Leg) -> ledger.Transfer:
    return ledger.transfer("trf_1", legs, at=1, kind="bill", reason="test")


def held(amount: int = 100) -> ledger.Hold:
    return ledger.hold("hld_1", ALICE, amount, expires_at=50, now=10)


def test_a_transfer_has_one_debit_and_the_credits_it_covers():
    """L-1: `pay` debits exactly the sum of the credits."""
    transfer = moved(*ledger.pay(ALICE, [(BOB, 30), (SHOP, 12)]))
    assert [(leg.account.name, leg.amount) for leg in transfer.legs] == [
        ("wallet/usr_alice/USD", -42),
        ("wallet/usr_bob/USD", 30),
        ("sales/mer_shop/USD", 12),
    ]
    assert (transfer.total, transfer.currency) == (42, "USD")


# What people read of a refusal, by what it points at.
TRANSFERS = {
    "": "a transfer has 1 to 40 credits",
    "/amount": "an amount is a positive integer",
    "/to": "an account can appear only once in a transfer",
    "/amount/currency": "a transfer has one currency, listed in ISO 4217",
}
HOLDS = {
    "/amount": "an amount is an integer from 1 to 10^12",
    "/amount/currency": "unknown currency",
    "/account": "money is held on wallets and cards only: a lane may lack what the account has",
    "/expires_at": "a hold's deadline lies in the future",
}


@pytest.mark.parametrize(
    ("legs", "pointer"),
    [
        ([Leg(ALICE, -5), Leg(BOB, 4)], "/amount"),
        ([Leg(ALICE, 0), Leg(BOB, 0)], "/amount"),
        ([Leg(ALICE, -5.0), Leg(BOB, 5.0)], "/amount"),
        ([Leg(ALICE, -True), Leg(BOB, True)], "/amount"),
        ([Leg(ALICE, -5), Leg(ALICE, 5)], "/to"),
        ([Leg(ALICE, -5), Leg(ledger.wallet("usr_bob", "EUR"), 5)], "/amount/currency"),
        ([Leg(ledger.wallet("a", "XXX"), -5), Leg(ledger.wallet("b", "XXX"), 5)], "/amount/currency"),
        ([Leg(ALICE, -5)], ""),
        ([], ""),
    ],
    ids=["unbalanced", "zero", "float", "bool", "self", "two currencies", "no currency", "one leg", "no leg"],
)
def test_what_is_not_a_balanced_transfer_of_one_currency_is_invalid(legs, pointer):
    """L-1, L-2: unequal, zero, fractional, repeated or mixed legs never become a transfer."""
    with pytest.raises(errors.Invalid) as refusal:
        moved(*legs)
    assert refusal.value.facts == {"reason": TRANSFERS[pointer], "pointer": pointer}


def test_a_transfer_keeps_all_that_was_said_of_it():
    """LG-03: when, what, why, about what, and which transfer it undoes."""
    legs = ledger.pay(ALICE, [(BOB, 30)])
    said = ledger.transfer("trf_2", legs, at=7, kind="refund", reason="cold", about="bil_1", reverses="trf_1")
    assert said == ledger.Transfer("trf_2", legs, 7, "refund", "cold", "bil_1", "trf_1")
    assert moved(*legs) == ledger.Transfer("trf_1", legs, 1, "bill", "test", "", "")


def test_a_transfer_takes_up_to_40_credits():
    """A bill's 40 sellers are paid by one transfer (VB-09, VB-17); a 41st does not fit."""
    payees = [(ledger.sales(f"mer_{number}", "USD"), 1) for number in range(41)]
    assert moved(*ledger.pay(ALICE, payees[:40])).total == 40
    with pytest.raises(errors.Invalid) as refusal:
        moved(*ledger.pay(ALICE, payees))
    assert refusal.value.facts == {"reason": TRANSFERS[""], "pointer": ""}


def test_an_amount_is_at_most_ten_to_the_twelfth():
    """LG-02: the bound is on what a transfer moves in all, and it is inclusive."""
    assert moved(*ledger.pay(ALICE, [(BOB, MAX_AMOUNT_MINOR)])).total == MAX_AMOUNT_MINOR
    with pytest.raises(ledger_errors.TransferTooLarge) as refusal:
        moved(*ledger.pay(ALICE, [(BOB, MAX_AMOUNT_MINOR), (SHOP, 1)]))
    assert refusal.value.facts == {"limit_minor": MAX_AMOUNT_MINOR}


def test_a_transfer_cannot_be_changed():
    """LG-03: a transfer, its legs and their accounts are frozen."""
    transfer = moved(*ledger.pay(ALICE, [(BOB, 1)]))
    for thing, name in ((transfer, "legs"), (transfer.legs[0], "amount"), (ALICE, "floor")):
        with pytest.raises(AttributeError):
            setattr(thing, name, None)


def test_a_reversal_names_what_it_undoes_and_undoes_all_of_it():
    """LG-03: original and reversal together change nothing."""
    original = ledger.transfer(
        "trf_1", ledger.pay(ALICE, [(BOB, 30), (SHOP, 12)]), at=1, kind="bill", reason="bill", about="bil_1"
    )
    undone = ledger.reverse("trf_2", original, at=2, reason="mistake")
    back = (Leg(ALICE, 42), Leg(BOB, -30), Leg(SHOP, -12))
    assert undone == ledger.Transfer("trf_2", back, 2, "refund", "mistake", "bil_1", reverses="trf_1")


def test_a_wallet_stops_at_zero_and_other_accounts_do_not():
    """LG-06: the floor is for wallets; a seller can owe refunds, and the world owes what came in."""
    assert ledger.after(Balance(10), Leg(ALICE, -10)) == Balance(0)
    with pytest.raises(ledger_errors.BalanceTooLow) as refusal:
        ledger.after(Balance(10, held=90), Leg(ALICE, -11))
    assert refusal.value.facts == {"available_minor": 10}
    assert ledger.after(Balance(0), Leg(SHOP, -7)) == Balance(-7)
    assert ledger.after(Balance(0), Leg(WORLD, -7)) == Balance(-7)


def test_only_wallets_have_a_floor_and_only_the_others_have_lanes():
    """LG-06, LG-08: a floor is kept by one row's condition, so an account with a floor is one row."""
    for account in (ALICE, SHOP, WORLD):
        assert account.floor == (account.lanes == 1)


@pytest.mark.parametrize(
    ("account", "name", "owner"),
    [
        (ALICE, "wallet/usr_alice/USD", "usr_alice"),
        (SHOP, "sales/mer_shop/USD", "mer_shop"),
        (WORLD, "funding/USD", ""),
        (ledger.card_funding("usr_alice", "crd_1", "USD"), "card/usr_alice/crd_1/USD", "usr_alice"),
        (ledger.chargebacks("USD"), "chargebacks/USD", ""),
    ],
)
def test_an_account_is_known_by_its_stored_name(account, name, owner):
    """Rows keep names alone: the account, its currency and whose it is follow from one."""
    assert ledger.account(name) == account
    assert (account.name, account.currency, account.owner) == (name, "USD", owner)


@pytest.mark.parametrize(
    "name",
    ["", "USD", "cash/USD", "funding/somebody/USD", "chargebacks/usr_a/USD", "card/usr_a/USD", "walletusr_a/USD"],
)
def test_a_name_that_no_account_has_is_not_guessed(name):
    """A stored name that is not ours is a fault, never a new account."""
    with pytest.raises(ValueError, match="no such account"):
        ledger.account(name)


def test_a_hold_moves_money_from_available_to_held_and_posts_nothing():
    """LG-06: available = posted - held."""
    after = ledger.after_hold(Balance(250), held(100))
    assert (after, after.posted) == (Balance(150, 100), 250)


def test_more_than_is_available_cannot_be_held():
    """LG-06: what is already held cannot be held again."""
    assert ledger.after_hold(Balance(100), held(100)) == Balance(0, 100)
    with pytest.raises(ledger_errors.BalanceTooLow) as refusal:
        ledger.after_hold(Balance(99, held=100), held(100))
    assert refusal.value.facts == {"available_minor": 99}


def test_what_stands_for_money_outside_can_be_held_beyond_what_it_has():
    """CB-21: a card's account owes what its bank pays, and what it may still pay is held there."""
    charge = ledger.hold("hld_1", ledger.card_funding("usr_alice", "crd_1", "USD"), 100, expires_at=None, now=10)
    assert ledger.after_hold(Balance(-5), charge) == Balance(-105, 100)


@pytest.mark.parametrize("amount", [0, -1, 1.5, True, MAX_AMOUNT_MINOR + 1])
def test_a_hold_is_of_an_amount_within_bounds(amount):
    """L-2: an integer from 1 to 10^12."""
    with pytest.raises(errors.Invalid) as refusal:
        held(amount)
    assert refusal.value.facts == {"reason": HOLDS["/amount"], "pointer": "/amount"}
    assert held(MAX_AMOUNT_MINOR).amount == MAX_AMOUNT_MINOR


def test_a_hold_says_what_is_reserved_where_until_when_and_for_what():
    """LG-05: of one unit and for one millisecond at least; nothing of it is posted."""
    placed = ledger.hold("hld_1", ALICE, 1, expires_at=11, now=10, about="chg_1")
    assert placed == ledger.Hold("hld_1", ALICE, 1, 11, "chg_1", state="pending", posted=0)
    assert held().about == ""


@pytest.mark.parametrize(
    ("account", "deadline", "pointer"),
    [
        (SHOP, 11, "/account"),
        (WORLD, 11, "/account"),
        (ALICE, 10, "/expires_at"),
        (ledger.wallet("usr_a", "ZZZ"), 11, "/amount/currency"),
    ],
)
def test_a_hold_is_on_a_wallet_and_ends_in_the_future(account, deadline, pointer):
    """A lane may lack what its account has, so accounts with lanes hold nothing; a deadline that is over holds nothing."""
    with pytest.raises(errors.Invalid) as refusal:
        ledger.hold("hld_1", account, 1, expires_at=deadline, now=10)
    assert refusal.value.facts == {"reason": HOLDS[pointer], "pointer": pointer}


def test_a_hold_without_a_deadline_ends_with_what_it_is_about():
    """LG-05, L-11: no sweep gives back what a bank may still charge; posting is never too late."""
    kept = ledger.hold("hld_1", ALICE, 100, expires_at=None, now=10)
    assert ledger.expire_hold(kept, now=10**15) is None
    assert ledger.post_hold(kept, 100, now=10**15).state == "posted"
    assert ledger.void_hold(kept).state == "voided"


def test_a_hold_posts_in_part_and_releases_the_rest():
    """LG-05: 30 of 100 leave, 70 are available again."""
    posted = ledger.post_hold(held(100), 30, now=20)
    assert (posted.state, posted.posted) == ("posted", 30)
    assert ledger.after_resolved(Balance(5, 100), posted) == Balance(75, 0)


@pytest.mark.parametrize("amount", [0, -1, 101, 1.0, True])
def test_a_hold_posts_no_more_than_it_holds(amount):
    """LG-05: 1 to all of it, in integers."""
    with pytest.raises(errors.Invalid) as refusal:
        ledger.post_hold(held(100), amount, now=20)
    assert refusal.value.facts == {"reason": "at most the held amount can be posted", "pointer": "/amount"}
    assert [ledger.post_hold(held(100), whole, now=20).posted for whole in (1, 100)] == [1, 100]


def test_a_hold_is_posted_before_its_deadline_and_expires_from_it_on():
    """LG-05: no instant allows both, none allows neither."""
    assert ledger.post_hold(held(), 1, now=49).state == "posted"
    assert ledger.expire_hold(held(), 49) is None
    with pytest.raises(ledger_errors.HoldExpired):
        ledger.post_hold(held(), 1, now=50)
    expired = ledger.expire_hold(held(), 50)
    assert expired is not None
    assert expired.state == "expired"
    assert ledger.after_resolved(Balance(0, 100), expired) == Balance(100, 0)


def test_a_resolved_hold_stays_as_it_is():
    """LG-05: each of the three ends refuses each other end, and itself."""
    expired = ledger.expire_hold(held(), 60)
    assert expired is not None
    for resolved in (ledger.post_hold(held(), 1, now=20), ledger.void_hold(held()), expired):
        with pytest.raises(ledger_errors.AlreadyResolved) as refusal:
            ledger.post_hold(resolved, 1, now=20)
        assert refusal.value.facts == {"state": resolved.state}
        with pytest.raises(ledger_errors.AlreadyResolved) as refusal:
            ledger.void_hold(resolved)
        assert refusal.value.facts == {"state": resolved.state}
        assert ledger.expire_hold(resolved, 60) is None


def test_a_voided_hold_gives_everything_back():
    """LG-05: placing and voiding a hold changes nothing."""
    assert ledger.after_resolved(ledger.after_hold(Balance(250), held()), ledger.void_hold(held())) == Balance(250)


amounts = st.integers(1, MAX_AMOUNT_MINOR)


@settings(max_examples=200, derandomize=True, database=None, deadline=None)
@given(st.lists(st.integers(1, 10**9), min_size=1, max_size=40))
def test_every_payment_sums_to_zero(parts):
    """L-1 by construction: whatever the credits, the legs cancel out."""
    transfer = moved(*ledger.pay(ALICE, [(ledger.sales(f"m{n}", "USD"), part) for n, part in enumerate(parts)]))
    assert sum(leg.amount for leg in transfer.legs) == 0
    assert transfer.total == sum(parts)


@settings(max_examples=200, derandomize=True, database=None, deadline=None)
@given(amounts, amounts, st.data())
def test_hold_and_post_is_worth_the_same_as_a_payment(available, amount, data):
    """L-9: paying by way of a hold leaves exactly what paying at once leaves, or both are refused."""
    paid = data.draw(st.integers(1, amount))
    if available < amount:
        with pytest.raises(ledger_errors.BalanceTooLow):
            ledger.after_hold(Balance(available), held(amount))
        return
    placed = ledger.after_hold(Balance(available), held(amount))
    assert placed.posted == available
    posted = ledger.after_resolved(placed, ledger.post_hold(held(amount), paid, now=20))
    assert posted == ledger.after(Balance(available), Leg(ALICE, -paid))
