"""Races for cards and charges on a real engine and a real bank: binds, codes, callbacks, removals, payments; one right end."""

import uuid
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from billfold import cards as rules
from billfold import clock
from billfold.cards import Card, card_rows
from billfold.cards.card_changes import (
    Activated,
    Answered,
    ApprovedLate,
    ChallengeSent,
    CodeRefused,
    CodeTried,
    Withdrawn,
)
from billfold.charges import charge_reviews, charge_rows
from billfold.errors import OperationRunning, Unavailable
from billfold.ledger import ledger_rows
from billfold.tables.commits import Commit
from billfold.tables.rows import fetch
from sandbox_bank import callbacks
from tests import world
from tests.cloud import delivery
from tests.cloud.local_http import LocalServer
from tests.proof.racing import PATIENCE, books_balance, codes, handled, race, soon, stubborn
from tests.world import STEPS, Person, Response, card_world
from tests.world.bank_fixtures import card as number_of
from tests.world.card_world import CODE, CardWorld

DIGITS = iter(range(1, 10_000))


@pytest.fixture
def cards(store, queues):
    with card_world.running(store, queues) as running:
        yield running


def task(step: str, card: str) -> Callable[[], Any]:
    """A task of the state machine, again while it fails, as the machine does."""

    def run() -> Any:
        for _ in range(PATIENCE):
            try:
                return STEPS[step].handler({"card": card, "token": "nobody waits"}, None)
            except (Unavailable, OperationRunning):
                continue
        raise AssertionError(f"{step} never worked")

    return run


def removal(cards: CardWorld, person: Person, card: str) -> Callable[[], Response]:
    """Removing a card, again while it is only busy."""

    def run() -> Response:
        answer = cards.remove(person, card)
        for _ in range(PATIENCE):
            if answer.status != 503:
                return answer
            answer = cards.remove(person, card)
        return answer

    return run


def bound(cards: CardWorld, person: Person, behaviour: str) -> str:
    """A card that was submitted; the machine is not started, so that a test can be it."""
    answer = cards.bind(person, number_of(behaviour, next(DIGITS)))
    assert answer.status == 201, answer
    return str(answer.body["id"])


def asked(cards: CardWorld, person: Person, behaviour: str) -> str:
    """A card whose bank has been asked once, whatever came of it."""
    card = bound(cards, person, behaviour)
    for step in ("check_card", "ask_bank"):
        task(step, card)()
    return card


def challenged(cards: CardWorld, person: Person, *, ago: int = 0) -> str:
    """A card whose code was sent some milliseconds ago."""
    card = asked(cards, person, "challenged")
    commit = Commit(str(uuid.uuid4()))
    card_rows.add_change(commit, card_rows.load(card).present, ChallengeSent(at=clock.now() - ago))
    commit.send()
    return card


def whole(store, card: str) -> Card:
    """The card, after checking that its journal has no gap, its head says the same, and nothing forbidden ever happened."""
    journal = card_rows.load(card)
    rows = {row["sk"]["S"]: row for row in store.rows("cards") if row["pk"]["S"] == card}
    head = rows.pop("#")
    assert sorted(rows) == [f"{number:08d}" for number in range(1, len(rows) + 1)]
    assert (head["state"]["S"], int(head["revision"]["N"])) == (journal.present.state, journal.present.revision)
    states = [journal.at(count).state for count in range(1, len(rows) + 1)]
    over = next((place for place, state in enumerate(states) if state in rules.ENDS), len(states))
    assert len(set(states[over:])) <= 1, "an end is final"
    verdicts = [change.outcome for change in journal.changes if isinstance(change, Answered)]
    assert not {"approved", "declined"} & set(verdicts[:-1]), "a verdict is final"
    assert journal.present.challenge.tries <= rules.CODE_TRIES
    return journal.present


def kept(store, table: str, sk: str) -> list[dict[str, Any]]:
    return [row for row in store.rows(table) if row["sk"]["S"] == sk]


def holders(store) -> list[set[str]]:
    """Who holds each card number."""
    return [set(row["cards"]["M"]) for row in kept(store, "cards", "holders")]


def at_the_bank(store, kind: str) -> int:
    """How many operations of a kind the bank ever heard of: of each key one."""
    return sum(row["kind"]["S"] == kind for row in kept(store, "sandbox_bank", "operation"))


def withdrawn(store) -> list[bool]:
    """Of each card that the bank checked, whether its approval was taken back."""
    return [row["withdrawn"]["BOOL"] for row in kept(store, "sandbox_bank", "authentication")]


def transfers(store) -> int:
    return len(kept(store, "ledger", "transfer"))


# -------------------------------------------------------------------------------------------------------------- binding


def test_ten_binds_of_one_card_by_one_user_are_one_card(cards: CardWorld, store):
    """CB-16: one is new, nine are told of it; it is sealed once, held once, and one try is counted."""
    alice = world.joined()
    answers = race([stubborn(cards.bind, alice, number_of("approved")) for _ in range(10)])
    assert codes(answers) == {"201": 1, "200": 9}
    [card] = {answer.body["id"] for answer in answers}
    assert (len(kept(store, "cards", "#")), len(store.rows("vault")), holders(store)) == (1, 1, [{alice.user_id}])
    assert {row["times"]["S"].count(",") for row in kept(store, "cards", "limit")} == {0}
    cards.settle()
    assert whole(store, card).state == "active"


def test_ten_binds_under_one_key_are_one_card_and_one_answer(cards: CardWorld, store):
    """LG-10, CB-16: all ten hear the same."""
    alice, key = world.joined(), str(uuid.uuid4())
    answers = race([stubborn(cards.bind, alice, number_of("approved"), key=key) for _ in range(10)])
    assert codes(answers) == {"201": 10}
    assert len({str(answer.body) for answer in answers}) == 1
    assert (len(kept(store, "cards", "#")), len(store.rows("vault"))) == (1, 1)


def test_of_five_users_with_one_card_exactly_three_hold_it(cards: CardWorld, store):
    """CB-16: the others are refused, and nothing of their attempt is kept in the vault."""
    people = [world.joined() for _ in range(5)]
    answers = race([stubborn(cards.bind, person, number_of("approved")) for person in people])
    assert codes(answers) == {"201": 3, "card_taken": 2}
    won = {person.user_id for person, answer in zip(people, answers, strict=True) if answer.status == 201}
    assert holders(store) == [won]
    assert (len(kept(store, "cards", "#")), len(store.rows("vault"))) == (3, 3)


def test_more_tries_at_once_than_the_limit_are_as_many_as_the_limit(cards: CardWorld, store):
    """CB-17: thirteen cards at the same moment by one user: ten a day are bound, the rest hear when to come back."""
    alice = world.joined()
    answers = race([stubborn(cards.bind, alice, number_of("approved", rest)) for rest in range(13)])
    assert codes(answers) == {"201": 10, "too_many_cards": 3}
    assert len(kept(store, "cards", "#")) == 10


# ---------------------------------------------------------------------------------------------------------------- codes


@pytest.mark.parametrize("right", [True, False])
def test_twenty_codes_at_once_are_five_tries(cards: CardWorld, store, right):
    """CB-09: no more than five ever reach the bank, so a right one among twenty fares as in a queue."""
    alice = world.joined()
    card = cards.bind(alice, number_of("challenged")).body["id"]
    cards.settle()
    guesses = [f"{number:06d}" for number in range(900_000, 900_020)]
    guesses[7] = CODE if right else guesses[7]
    answers = race([stubborn(cards.answer, alice, card, code) for code in guesses])
    tried = sum(isinstance(change, CodeTried) for change in card_rows.load(card).changes)
    assert at_the_bank(store, "challenge-answer") == tried
    cards.settle()
    linked = right and answers[7].status == 200
    assert whole(store, card).state == ("active" if linked else "declined")
    assert tried in range(1, 6) if linked else tried == 5
    seen, refused = codes(answers), sum(isinstance(change, CodeRefused) for change in card_rows.load(card).changes)
    # Once the bank has approved, it says so whatever the code, and each such try hears that the card is linked.
    linked_too = tried - refused if linked else 0
    # A card that is over and a challenge that is over can both be what the others meet.
    over = seen.pop("challenge_over", 0)
    left = 20 - refused - linked_too - over
    assert seen == Counter({"200": linked_too, "code_wrong": refused, "card_state_conflict": left})
    assert withdrawn(store) == [False]
    again = cards.bind(alice, number_of("challenged"))
    assert (again.status, again.code) == ((200, "") if linked else (429, "too_many_cards"))


def test_resends_at_once_are_one_code(cards: CardWorld, store):
    """CB-09: under many keys one is sent, the others hear that it is on its way; under one key all hear the same."""
    alice = world.joined()
    card = challenged(cards, alice, ago=61_000)
    answers = race([stubborn(cards.resend, alice, card) for _ in range(8)])
    assert codes(answers) == {"200": 1, "resend_too_soon": 7}
    assert (whole(store, card).challenge.sent, at_the_bank(store, "challenge")) == (2, 1)
    other, key = challenged(cards, alice, ago=61_000), str(uuid.uuid4())
    answers = race([stubborn(cards.resend, alice, other, key=key) for _ in range(8)])
    assert codes(answers) == {"200": 8}
    assert len({str(answer.body) for answer in answers}) == 1
    assert (whole(store, other).challenge.sent, at_the_bank(store, "challenge")) == (2, 2)


def test_the_right_code_against_giving_up_links_or_cancels_and_keeps_no_approval(cards: CardWorld, store):
    """CB-09, CB-14, CB-20: whoever is first; what the bank approved for a cancelled card is taken back."""
    asked = 0
    for _ in range(4):
        alice = world.joined()
        card = challenged(cards, alice)
        code, gone = race([soon(stubborn(cards.answer, alice, card), 0.05), soon(removal(cards, alice, card), 0.05)])
        assert gone.status == 204
        assert whole(store, card).state == "cancelled"
        tried = any(isinstance(change, CodeTried) for change in card_rows.load(card).changes)
        assert code.code == ("" if tried else "card_state_conflict")
        asked += tried
    cards.settle()
    approved = [row for row in kept(store, "sandbox_bank", "authentication") if row["outcome"]["S"] == "approved"]
    assert [row["withdrawn"]["BOOL"] for row in approved] == [True] * asked
    assert (store.rows("vault"), holders(store)) == ([], [set()] * 4)


# ------------------------------------------------------------------------------------------------------- the bank's word


def test_callbacks_against_the_machine_s_own_asking_are_one_verdict(cards: CardWorld, store):
    """CB-13: three copies of a callback while two tasks ask: recorded once, activated once."""
    for _ in range(4):
        alice = world.joined()
        card = asked(cards, alice, "told_thrice")
        assert card_rows.load(card).present.state == "unknown"
        [told] = [row["pk"]["S"] for row in kept(store, "sandbox_bank", "authentication") if row["about"]["S"] == card]
        tell = lambda told=told: callbacks.deliver(told, forged=False)  # noqa: E731
        race([*[soon(task("ask_bank", card), 0.03)] * 2, *[soon(tell, 0.03)] * 3])
        race([task("activate_card", card)] * 4)
        assert whole(store, card).state == "active"
        verdicts = [change for change in card_rows.load(card).changes if isinstance(change, Answered)]
        assert Counter(change.outcome for change in verdicts)["approved"] == 1


def test_a_removal_against_the_activation_leaves_a_card_that_is_over_and_nothing_at_the_bank(cards: CardWorld, store):
    """CB-14, CB-20: cancelled before or removed after; never active, sealed, held or approved any more."""
    people = [world.joined() for _ in range(5)]
    made = [asked(cards, person, "approved") for person in people]
    for person, card in zip(people, made, strict=True):
        gone, *_ = race([soon(removal(cards, person, card), 0.02), *[soon(task("activate_card", card), 0.02)] * 2])
        assert gone.status == 204
    cards.settle()
    for card in made:
        was_active = any(isinstance(change, Activated) for change in card_rows.load(card).changes)
        assert whole(store, card).state == ("removed" if was_active else "cancelled")
    assert (withdrawn(store), store.rows("vault"), holders(store)) == ([True] * 5, [], [set()] * 5)


def test_a_card_given_up_while_its_bank_approves_is_withdrawn_though_no_callback_tells(cards: CardWorld, store, queues):
    """CB-14: the approval arrives at a task that finds the card over; it is recorded and taken back."""
    alice = world.joined()
    card = bound(cards, alice, "told_early")
    task("check_card", card)()

    def give_up(_: Any) -> tuple[int, str]:
        assert cards.remove(alice, card).status == 204
        return 500, "{}"

    with LocalServer(give_up) as server:
        cards.bank.register(f"{server.address}/v1/banks/sandbox/callbacks")
        assert task("ask_bank", card)()["outcome"] == "over"
    journal = card_rows.load(card)
    assert journal.present.state == "cancelled"
    assert [change.reference for change in journal.changes if isinstance(change, ApprovedLate)]
    delivery.follow_streams(store)
    delivery.drain(queues)
    assert withdrawn(store) == [True]
    assert isinstance(card_rows.load(card).changes[-1], Withdrawn)
    assert whole(store, card).state == "cancelled"


def test_a_card_given_up_at_the_moment_of_asking_keeps_no_approval(cards: CardWorld, store):
    """CB-14, CB-20: before, while or after the bank is asked; in the end it is cancelled and the bank holds nothing."""
    people = [world.joined() for _ in range(6)]
    made = [bound(cards, person, "approved") for person in people]
    for person, card in zip(people, made, strict=True):
        task("check_card", card)()
        race([soon(removal(cards, person, card), 0.04), soon(task("ask_bank", card), 0.02)])
    cards.settle()
    assert {whole(store, card).state for card in made} == {"cancelled"}
    assert all(withdrawn(store))
    assert (store.rows("vault"), holders(store)) == ([], [set()] * 6)


# ------------------------------------------------------------------------------------------------------------- payments


def test_a_removal_against_a_top_up_leaves_a_paid_top_up_or_no_charge(cards: CardWorld, store):
    """CB-20, CB-21: removed first, the card pays nothing; charged first, it is busy until the bank has answered."""
    # The books must balance, and removals may win every time: there is some money.
    world.fund(world.joined(pin=None), 100)
    for _ in range(3):
        alice = world.joined()
        card = cards.linked(alice, number_of("approved", next(DIGITS)))
        started, gone = race(
            [soon(stubborn(cards.top_up, alice, card, 700), 0.02), soon(removal(cards, alice, card), 0.02)]
        )
        cards.settle()
        if gone.status == 204:
            assert started.code == "card_not_active"
            assert (world.wallet(alice), whole(store, card).state) == (0, "removed")
        else:
            assert (gone.code, started.status) == ("card_busy", 202)
            assert (world.wallet(alice), whole(store, card).state) == (700, "active")
            assert removal(cards, alice, card)().status == 204
    cards.settle()
    _every_charge_is_right(store)


def test_many_top_ups_at_once_are_each_charged_once_and_the_same_key_once_in_all(cards: CardWorld, store):
    """CB-21, LG-04: six keys, each sent twice."""
    alice = world.joined()
    card = cards.linked(alice, number_of("approved"))
    keys = [str(uuid.uuid4()) for _ in range(6)] * 2
    answers = race([stubborn(cards.top_up, alice, card, 100, key=key) for key in keys])
    assert codes(answers) == {"202": 12}
    assert len({answer.body["id"] for answer in answers}) == 6
    assert fetch(ledger_rows.balance(_account(alice, card))).held == 600
    cards.settle(twice=True)
    assert (world.wallet(alice), at_the_bank(store, "charge"), transfers(store)) == (600, 6, 6)
    _every_charge_is_right(store)


def test_more_top_ups_at_once_than_the_limit_are_as_many_as_the_limit(cards: CardWorld, store):
    """Issue 12 F26: sixteen at the same moment, by two cards: ten a day are begun, and only their money is held."""
    alice = world.joined()
    linked = [cards.linked(alice, number_of("approved", rest)) for rest in range(2)]
    answers = race([stubborn(cards.top_up, alice, linked[turn % 2], 100) for turn in range(16)])
    assert codes(answers) == {"202": 10, "too_many_top_ups": 6}
    assert sum(fetch(ledger_rows.balance(_account(alice, card))).held for card in linked) == 1_000
    cards.settle()
    assert (world.wallet(alice), at_the_bank(store, "charge")) == (1_000, 10)
    _every_charge_is_right(store)


def test_a_charge_settled_by_many_messages_at_once_is_one_transfer(cards: CardWorld, store):
    """CB-21, L-12: queue, callback and daily comparison ask at the same moment; the bank charges once, money moves once."""
    alice = world.joined()
    card = cards.linked(alice, number_of("approved"))
    charge = cards.top_up(alice, card, 900).body["id"]
    assert all(race([handled("settle_charge", f"{charge}{asks}") for asks in ("", " once", " once") * 3]))
    assert charge_rows.load(charge).present.state == "settled"
    assert (world.wallet(alice), at_the_bank(store, "charge"), transfers(store)) == (900, 1, 1)
    _every_charge_is_right(store)


def test_a_declined_charge_heard_many_times_moves_nothing(cards: CardWorld, store):
    """CB-21: the hold is voided once, the card is free."""
    alice = world.joined()
    card = cards.linked(alice, number_of("without_funds"))
    charge = cards.top_up(alice, card, 900).body["id"]
    assert all(race([handled("settle_charge", charge)] * 8))
    assert charge_rows.load(charge).present.state == "declined"
    assert (world.wallet(alice), transfers(store)) == (0, 0)
    _every_charge_is_right(store)
    assert removal(cards, alice, card)().status == 204


@pytest.mark.parametrize("behaviour", ["approved", "without_funds"])
def test_a_bill_verified_by_card_and_by_wallet_at_once_is_paid_once(cards: CardWorld, store, behaviour):
    """VB-17, CB-21: one of ten verifications wins; a declined card leaves the bill to another instrument."""
    alice, shop = world.joined(), world.seller()
    card = cards.linked(alice, number_of(behaviour))
    world.fund(alice, 1_000)
    bill = world.to_verify(alice, (shop.tills[0], 300), (shop.tills[1], 50))
    named = bill["verification"]["list_hash"]
    by_card = [stubborn(cards.verify, alice, bill, card) for _ in range(5)]
    by_wallet = [stubborn(world.verify, alice, bill["id"], named) for _ in range(5)]
    answers = race([*by_card, *by_wallet])
    assert codes(answers) == {"200": 1, "bill_state_conflict": 9}
    charges = [row["pk"]["S"] for row in kept(store, "charges", "#")]
    assert len(charges) == sum(answer.status == 200 for answer in answers[:5])
    if charges:
        assert all(race([handled("settle_charge", charges[0])] * 6))
    state = world.shown(alice, bill["id"])["state"]
    assert state == ("failed" if charges and behaviour == "without_funds" else "settled")
    if state == "failed":
        assert (world.sales(shop), world.wallet(alice)) == (0, 1_000)
        assert world.verify(alice, bill["id"], named).status == 200
    assert world.sales(shop) == 350
    assert world.wallet(alice) == (1_000 if charges and state == "settled" else 650)
    _every_charge_is_right(store)


def test_a_dispute_against_a_settling_bill_changes_nothing_that_was_verified(cards: CardWorld, store):
    """VB-14, CB-21: while the bank is asked the list stands still; the sellers get exactly what was verified."""
    alice, shop = world.joined(), world.seller()
    card = cards.linked(alice, number_of("approved"))
    bill = world.to_verify(alice, (shop.tills[0], 300), (shop.tills[1], 50))
    assert cards.verify(alice, bill, card).status == 200
    [charge] = [row["pk"]["S"] for row in kept(store, "charges", "#")]
    disputes = [
        stubborn(world.call, "POST", f"/v1/bills/{bill['id']}/items/{item['id']}/dispute", alice)
        for item in bill["items"]
    ]
    results = race([*disputes, handled("settle_charge", charge), handled("end_bills", bill["id"])])
    # Settling or settled, the bill's state is what forbids it.
    assert codes(results[:2]) == {"bill_state_conflict": 2}
    assert (world.shown(alice, bill["id"])["state"], world.sales(shop)) == ("settled", 350)
    assert world.posted(f"card/{alice.user_id}/{card}/USD") == -350
    _every_charge_is_right(store)


def _account(person: Person, card: str) -> Any:
    return ledger_rows.ledger.card_funding(person.user_id, card, "USD")


def _every_charge_is_right(store) -> None:
    """L-1, L-10 to L-12: the books balance, no hold outlives its charge, and each card owes what its settled charges say."""
    books_balance(store)
    owed: Counter[Any] = Counter()
    held: Counter[Any] = Counter()
    under_way: Counter[str] = Counter()
    for row in kept(store, "charges", "#"):
        charge = charge_rows.load(row["pk"]["S"]).present
        assert row["state"]["S"] == charge.state
        account = charge_reviews.account(charge)
        hold = fetch(ledger_rows.hold(charge.hold_id))
        assert hold.state == {"settling": "pending", "settled": "posted", "declined": "voided"}[charge.state]
        assert (fetch(ledger_rows.transfer(charge.transfer_id)) is not None) == (charge.state == "settled")
        owed[account] += charge.amount * (charge.state == "settled")
        held[account] += charge.amount * (charge.state == "settling")
        under_way[charge.card] += charge.state == "settling"
    for account in owed:
        balance = fetch(ledger_rows.balance(account))
        assert (-balance.posted, balance.held) == (owed[account], held[account])
    for head in kept(store, "cards", "#"):
        assert int(head["charges"]["N"]) == under_way[head["pk"]["S"]]
