"""The ledger's rows on a real engine: what the rules promise, the writes' own conditions keep (docs/ledger.md).

The steps ask the rules first; here the rows are written without asking, so that only the conditions can refuse.
"""

import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest

from billfold import ledger
from billfold.errors import Stale
from billfold.events import Event
from billfold.ledger import Account, Balance, Hold, Transfer, ledger_rows, ledger_stream
from billfold.ledger.ledger_rows import BalanceRow
from billfold.tables.commits import Commit
from billfold.tables.rows import due, fetch, write_all
from tests.tables.scripts import CONFLICT, metered, scripted

pytestmark = pytest.mark.usefixtures("store")

ALICE, BOB = ledger.wallet("usr_alice", "USD"), ledger.wallet("usr_bob", "USD")
SHOP, WORLD = ledger.sales("mer_shop", "USD"), ledger.funding("USD")
EARLY, DEADLINE = 1_000, 5_000


def fresh() -> str:
    return uuid.uuid4().hex


def made(payer: Account, *credits: tuple[Account, int], name: str = "", at: int = EARLY) -> Transfer:
    return ledger.transfer(
        name or fresh(), ledger.pay(payer, credits), at=at, kind="bill", reason="test", about="bil_1"
    )


def post(transfer: Transfer) -> Transfer:
    commit = Commit(fresh())
    ledger_rows.add_transfer(commit, transfer)
    commit.send()
    return transfer


def placed(account: Account, amount: int) -> Hold:
    hold = ledger.hold(fresh(), account, amount, expires_at=DEADLINE, now=EARLY)
    commit = Commit(fresh())
    ledger_rows.place_hold(commit, hold)
    commit.send()
    return hold


def resolve(before: Hold, after: Hold, now: int = EARLY) -> None:
    """Void or expire a hold."""
    commit = Commit(fresh())
    ledger_rows.resolve_hold(commit, before, after, now)
    commit.send()


def post_held(pairs: list[tuple[Hold, Hold]], payee: Account, now: int = EARLY) -> Transfer:
    legs = [ledger.Leg(after.account, -after.posted) for _, after in pairs]
    legs.append(ledger.Leg(payee, sum(after.posted for _, after in pairs)))
    transfer = ledger.transfer(fresh(), legs, at=now, kind="bill", reason="held")
    commit = Commit(fresh())
    ledger_rows.post_held(commit, pairs, transfer, now)
    commit.send()
    return transfer


def balance(account: Account) -> Balance:
    return fetch(ledger_rows.balance(account))


def state(hold: Hold) -> str:
    return fetch(ledger_rows.hold(hold.hold_id)).state


# ------------------------------------------------------------------------------------------------------------ transfers


def test_a_wallet_transfer_costs_six_write_units():
    """The floor of design.md: two conditional balance updates and one record, two units each in a transaction."""
    post(made(WORLD, (ALICE, 100)))
    with metered("TransactWriteItems") as units, scripted("BatchGetItem") as reads:
        post(made(ALICE, (BOB, 40)))
    assert units == [6]
    assert reads == []


def test_forty_sellers_are_paid_by_one_transaction():
    """VB-17: 40 credits, a debit and the record; all of them or none."""
    post(made(WORLD, (ALICE, 100)))
    sellers = [ledger.sales(f"mer_{number}", "USD") for number in range(40)]
    post(made(ALICE, *[(seller, 2) for seller in sellers]))
    assert balance(ALICE) == Balance(20)
    with pytest.raises(Stale):
        post(made(ALICE, *[(seller, 1) for seller in sellers]))
    assert [balance(seller) for seller in sellers[::13]] == [Balance(2)] * 4


@pytest.mark.parametrize("amount", [101, 100 * 10**9])
def test_the_write_itself_refuses_what_a_wallet_does_not_have(amount):
    """LG-06: nothing is left of the attempt, not even its record."""
    post(made(WORLD, (ALICE, 100)))
    with pytest.raises(Stale):
        post(made(ALICE, (BOB, amount), name="too much"))
    assert (balance(ALICE), balance(BOB)) == (Balance(100), Balance(0))
    assert fetch(ledger_rows.transfer("too much")) is None


def test_a_wallet_that_never_held_money_pays_nothing():
    """A row that does not exist is zero, also to the condition."""
    with pytest.raises(Stale):
        post(made(ALICE, (BOB, 1)))


def test_the_same_operation_is_posted_once_for_ever():
    """LG-04: another token, another amount, another time: the record is there already."""
    first = post(made(WORLD, (ALICE, 100), name="once"))
    for other in (first, made(WORLD, (ALICE, 7), name="once"), made(WORLD, (BOB, 100), name="once", at=9_999)):
        with pytest.raises(Stale):
            post(other)
    assert (balance(ALICE), balance(BOB)) == (Balance(100), Balance(0))
    assert fetch(ledger_rows.transfer("once")) == first


def test_a_reversal_is_another_transfer_that_names_the_first():
    """LG-03: the first stays as it was."""
    first = post(made(WORLD, (ALICE, 60), (BOB, 40)))
    undone = post(ledger.reverse(fresh(), first, at=2_000, reason="mistake"))
    assert (balance(ALICE), balance(BOB), balance(WORLD)) == (Balance(), Balance(), Balance())
    assert fetch(ledger_rows.transfer(first.transfer_id)) == first
    assert fetch(ledger_rows.transfer(undone.transfer_id)) == undone
    assert undone.reverses == first.transfer_id


def test_transfers_are_read_in_the_order_of_the_question_without_those_that_were_never_posted():
    """LG-03, LG-10: with the fingerprint of the request that posted each, for its repeat."""
    first, second = post(made(WORLD, (ALICE, 60))), post(made(WORLD, (BOB, 40)))
    asked = made(WORLD, (ALICE, 1))
    with Commit(fresh()) as commit:
        ledger_rows.add_transfer(commit, asked, request="fingerprint")
    wanted = [second.transfer_id, "trf_nobody", first.transfer_id]
    found, without, with_request, none = fetch(
        ledger_rows.transfers(wanted),
        ledger_rows.posted(first.transfer_id),
        ledger_rows.posted(asked.transfer_id),
        ledger_rows.posted("trf_nobody"),
    )
    assert (found, without, with_request, none) == ([second, first], (first, ""), (asked, "fingerprint"), None)


def test_what_must_not_have_been_posted_stops_a_commit_once_it_was():
    """VB-15, LG-10: a wrong PIN is no answer to a request whose transfer is there."""
    done = post(made(WORLD, (ALICE, 60)))

    def attempt(transfer_id: str) -> None:
        with Commit(fresh()) as commit:
            ledger_rows.check_not_posted(commit, transfer_id)

    attempt("trf_nobody")
    with pytest.raises(Stale):
        attempt(done.transfer_id)


# ---------------------------------------------------------------------------------------------------------------- lanes


def test_credits_to_a_busy_account_sum_over_its_lanes():
    """LG-08: a conflict moves the credit to another lane; the balance is the sum, whatever the lanes."""
    for _ in range(3):
        with scripted("TransactWriteItems", [CONFLICT], [CONFLICT], [CONFLICT], None) as sent:
            post(made(WORLD, (SHOP, 5)))
        lanes = {lane for request in sent for lane in lanes_of(request)}
        assert len(lanes) > 1
    assert (balance(SHOP), balance(WORLD)) == (Balance(15), Balance(-15))


def lanes_of(request: dict[str, object]) -> list[str]:
    updates = [write["Update"]["Key"]["pk"]["S"] for write in request["TransactItems"] if "Update" in write]
    return [key for key in updates if key.startswith("sales/")]


def test_concurrent_credits_are_all_there():
    """LG-01, LG-08: sixteen payers at once, nothing lost."""
    payers = [ledger.wallet(f"usr_{number}", "USD") for number in range(16)]
    for payer in payers:
        post(made(WORLD, (payer, 10)))
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda number: post(made(payers[number % 16], (SHOP, 1))), range(160)))
    assert balance(SHOP) == Balance(160)
    assert {balance(payer) for payer in payers} == {Balance(0)}


# ---------------------------------------------------------------------------------------------------------------- holds


def test_a_hold_reserves_and_keeps_the_posted_balance():
    """LG-06: what is held cannot be paid or held again."""
    post(made(WORLD, (ALICE, 100)))
    hold = placed(ALICE, 70)
    assert (balance(ALICE), balance(ALICE).posted) == (Balance(30, 70), 100)
    assert fetch(ledger_rows.hold(hold.hold_id)) == hold
    with pytest.raises(Stale):
        post(made(ALICE, (BOB, 31)))
    with pytest.raises(Stale):
        placed(ALICE, 31)
    post(made(ALICE, (BOB, 30)))


def test_a_hold_posts_in_part_and_gives_the_rest_back():
    """LG-05: 45 of 70 are paid."""
    post(made(WORLD, (ALICE, 100)))
    hold = placed(ALICE, 70)
    post_held([(hold, ledger.post_hold(hold, 45, EARLY))], BOB)
    assert (balance(ALICE), balance(BOB), state(hold)) == (Balance(55), Balance(45), "posted")


def test_a_voided_and_an_expired_hold_give_everything_back():
    """LG-05: and leave the index of deadlines."""
    post(made(WORLD, (ALICE, 100)))
    first, second = placed(ALICE, 40), placed(ALICE, 50)
    assert holds_due(DEADLINE) == {first.hold_id, second.hold_id}
    assert holds_due(DEADLINE - 1) == set()
    resolve(first, ledger.void_hold(first))
    resolve(second, ledger.expire_hold(second, DEADLINE), DEADLINE)
    assert (state(first), state(second), balance(ALICE)) == ("voided", "expired", Balance(100))
    assert holds_due(DEADLINE) == set()


def holds_due(now: int) -> set[str]:
    return set(due(ledger_rows.HoldRow, "holds", now))


def test_a_hold_resolves_at_most_once_whoever_comes_second():
    """LG-05: each of the three ends against each, decided on the hold as it was when it was pending."""
    post(made(WORLD, (ALICE, 1_000)))
    ends = {
        "posted": lambda hold: post_held([(hold, ledger.post_hold(hold, 10, EARLY))], BOB),
        "voided": lambda hold: resolve(hold, ledger.void_hold(hold)),
        "expired": lambda hold: resolve(hold, ledger.expire_hold(hold, DEADLINE), DEADLINE),
    }
    for first in ends:
        for second in ends:
            hold = placed(ALICE, 10)
            ends[first](hold)
            before = (balance(ALICE), balance(BOB))
            with pytest.raises(Stale):
                ends[second](hold)
            assert (state(hold), balance(ALICE), balance(BOB)) == (first, *before)


def test_the_write_itself_refuses_to_post_after_the_deadline():
    """LG-05, XX-04: whatever an old decision says, at the deadline the hold is no longer posted."""
    post(made(WORLD, (ALICE, 100)))
    hold = placed(ALICE, 10)
    with pytest.raises(Stale):
        post_held([(hold, ledger.post_hold(hold, 10, EARLY))], BOB, now=DEADLINE)
    assert (state(hold), balance(ALICE)) == ("pending", Balance(90, 10))
    post_held([(hold, ledger.post_hold(hold, 10, EARLY))], BOB, now=DEADLINE - 1)


def group(size: int) -> list[Hold]:
    payers = [ledger.wallet(f"usr_{number}", "USD") for number in range(size)]
    for payer in payers:
        post(made(WORLD, (payer, 10)))
    return [placed(payer, 8) for payer in payers]


@pytest.mark.parametrize("size", [2, 30])
def test_a_hold_group_commits_together(size):
    """LG-05: dozens of payers, one transfer."""
    holds = group(size)
    post_held([(hold, ledger.post_hold(hold, 7, EARLY)) for hold in holds], ALICE)
    assert balance(ALICE) == Balance(7 * size)
    assert {(state(hold), balance(hold.account)) for hold in holds} == {("posted", Balance(3))}


def test_one_resolved_hold_keeps_its_whole_group_from_committing():
    """LG-05: all or none; the others stay reserved."""
    holds = group(12)
    resolve(holds[5], ledger.void_hold(holds[5]))
    with pytest.raises(Stale):
        post_held([(hold, ledger.post_hold(hold, 8, EARLY)) for hold in holds], ALICE)
    assert balance(ALICE) == Balance(0)
    assert [state(hold) for hold in holds].count("pending") == 11
    assert balance(holds[0].account) == Balance(2, 8)


def test_a_hold_group_voids_together():
    """LG-05: in one transaction too, all or none."""
    holds = group(12)

    def void_all() -> None:
        commit = Commit(fresh())
        for hold in holds:
            ledger_rows.resolve_hold(commit, hold, ledger.void_hold(hold), EARLY)
        commit.send()

    void_all()
    assert {(state(hold), balance(hold.account)) for hold in holds} == {("voided", Balance(10))}
    with pytest.raises(Stale):
        void_all()


CARD = ledger.card_funding("usr_alice", "crd_1", "USD")


@pytest.mark.parametrize(
    ("kind", "payer", "payees", "about"),
    [
        ("transfer", ALICE, [BOB], ""),
        ("bill", ALICE, [SHOP, ledger.sales("mer_cafe", "USD")], "bil_1"),
        ("bill", CARD, [SHOP], "bil_1"),
        ("refund", SHOP, [ALICE], "bil_1"),
        ("refund", SHOP, [CARD], "bil_1"),
        ("refund", CARD, [ALICE], "bil_1"),
        ("top_up", CARD, [ALICE], "chg_1"),
    ],
)
def test_rows_from_before_kinds_still_say_what_they_are(kind, payer, payees, about):
    """Stored rows of earlier versions: the kind follows from who paid whom about what, never from the text."""
    credits = [(account, 1) for account in payees]
    moved = ledger.transfer(fresh(), ledger.pay(payer, credits), at=1, kind=kind, reason="refund bill", about=about)
    legs = [(leg.account.name, leg.amount) for leg in moved.legs]
    row = ledger_rows.TransferRow(
        moved.transfer_id, "transfer", legs=legs, at=1, reason=moved.reason, about=about or None
    )
    assert ledger_rows.to_transfer(row) == moved


def image(store, transfer: Transfer) -> dict:
    """The row of a transfer, as its stream tells it."""
    return next(row for row in store.rows("ledger") if row["pk"]["S"] == transfer.transfer_id)


def test_a_transfer_between_people_is_told_to_both_with_their_own_side_of_it(store):
    """XX-03, XX-05: who paid how much to whom; a payee hears of no other payee."""
    carol = ledger.wallet("usr_carol", "USD")
    post(made(WORLD, (ALICE, 100)))
    legs = ledger.pay(ALICE, [(BOB, 30), (carol, 12)])
    sent = post(ledger.transfer(fresh(), legs, at=EARLY, kind="transfer", reason="lunch"))

    def event(audience: str, kind: str, amount: int, payees: list[str]) -> Event:
        facts = {"amount": {"amount": amount, "currency": "USD"}, "payer": "usr_alice", "payees": payees}
        return Event(sent.transfer_id, audience, kind, sent.transfer_id, EARLY, facts)

    assert ledger_stream.events_of(image(store, sent)) == [
        event("usr_alice", "transfer.sent", 42, ["usr_bob", "usr_carol"]),
        event("usr_bob", "transfer.received", 30, ["usr_bob"]),
        event("usr_carol", "transfer.received", 12, ["usr_carol"]),
    ]
    assert ledger_stream.messages(image(store, sent)) == [
        ("statements", sent.transfer_id, leg.account.name, sent.transfer_id) for leg in sent.legs
    ]


def test_a_transfer_that_is_about_something_or_not_between_people_is_told_by_that_and_not_here(store):
    """XX-03: a bill's, a top-up's and a refund's own changes tell; each account's statement has it all the same."""
    post(made(WORLD, (ALICE, 100)))
    about = post(made(ALICE, (BOB, 30)))
    from_outside = post(ledger.transfer(fresh(), ledger.pay(WORLD, [(ALICE, 5)]), at=EARLY, kind="top_up", reason="in"))
    for transfer in (about, from_outside):
        assert ledger_stream.events_of(image(store, transfer)) == []
        assert [account for *_, account, _ in ledger_stream.messages(image(store, transfer))] == [
            leg.account.name for leg in transfer.legs
        ]


def test_a_balance_or_a_hold_is_no_transfer_to_tell_of(store):
    """XX-03: their rows are in the same stream."""
    post(made(WORLD, (ALICE, 100)))
    placed(ALICE, 10)
    others = [row for row in store.rows("ledger") if row["sk"]["S"] != "transfer"]
    assert len(others) == 3
    assert [ledger_stream.events_of(row) + ledger_stream.messages(row) for row in others] == [[], [], []]


def test_a_user_s_wallets_are_listed_by_currency():
    """One Query; a wallet appears with the first money, and nobody else's does."""
    euro = ledger.wallet("usr_alice", "EUR")
    post(made(WORLD, (ALICE, 9), (ledger.wallet("usr_alice2", "USD"), 1)))
    post(made(ledger.funding("EUR"), (euro, 5)))
    placed(euro, 2)
    assert ledger_rows.wallets("usr_alice") == [("EUR", Balance(3, 2)), ("USD", Balance(9))]
    assert ledger_rows.wallets("usr_nobody") == []


@pytest.mark.parametrize("account", [SHOP, WORLD], ids=["sales", "funding"])
def test_no_lane_is_left_out_of_a_balance(account):
    """LG-01, LG-08: each has another amount, so that the sum tells which was forgotten."""
    owner, _, currency = account.name.rpartition("/")
    lanes = [BalanceRow(f"{owner}#{lane}", currency, available=2**lane) for lane in range(ledger.LANES)]
    write_all(lanes)
    assert balance(account) == Balance(2**ledger.LANES - 1)
