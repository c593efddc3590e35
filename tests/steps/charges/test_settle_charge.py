"""Asking a bank for a charge, and settling it by the answer."""

import json
import os

import pytest

from billfold import banks
from billfold.bills import bill_rows
from billfold.charges import charge_rows
from tests import world
from tests.cloud import delivery
from tests.cloud.local_http import LocalServer
from tests.proof.racing import books_balance
from tests.world import STEPS, call


def settle(message, *, before=0, waits=False):
    answer = STEPS["settle_charge"].handler(delivery.sqs_event([message], before=before), None)
    assert bool(answer["batchItemFailures"]) is waits


def state(charge):
    return charge_rows.load(charge).present.state


def topping_up(cards, behaviour):
    """A top-up that is to be asked for: whose, by which card, and its id."""
    person, card = cards.active(behaviour)
    return person, card, cards.top_up(person, card).body["id"]


def test_one_message_too_many_settles_nothing_twice(cards):
    """CB-21, LG-04: the bank made one charge, and one transfer moved it."""
    person, _, charge = topping_up(cards, "approved")
    for _ in range(3):
        settle(charge)
    assert (state(charge), world.wallet(person)) == ("settled", 2_500)
    assert [route for route, _ in cards.bank.calls].count("POST /v1/charges") == 1


def test_a_lost_answer_is_looked_up_and_not_charged_again(cards, queues, later):
    """CB-21: unknown at first; the same message comes again later, and there is no other (issue 7 A2)."""
    person, _, charge = topping_up(cards, "charge_lost")
    queues.send_message(QueueUrl=os.environ["BILLFOLD_QUEUE_CHARGES"], MessageBody=charge)
    delivery.drain(queues)
    assert (state(charge), world.wallet(person)) == ("settling", 0)
    assert waiting(queues) == {"ApproximateNumberOfMessagesNotVisible": "1", "ApproximateNumberOfMessages": "0"}
    later(seconds=3)
    delivery.drain(queues)
    assert (state(charge), world.wallet(person)) == ("settled", 2_500)
    assert [route for route, _ in cards.bank.calls].count("POST /v1/charges") == 1


def test_a_charge_that_the_bank_never_heard_of_is_asked_for_with_the_same_key(cards):
    """CB-21: once it says so itself; while it is silent nothing is assumed."""
    _, _, charge = topping_up(cards, "charge_ignored")
    for before in range(4):
        settle(charge, before=before, waits=True)
        assert state(charge) == "settling"
    assert [route for route, _ in cards.bank.calls].count("POST /v1/charges") == 2


@pytest.mark.parametrize("message", ["{}", "{} once"])
def test_a_charge_is_not_asked_for_anew_once_its_bank_may_have_forgotten_the_key(cards, later, message):
    """CB-21: a day later "never heard of it" may mean that it was charged; it is looked up, and left to operations."""
    _, _, charge = topping_up(cards, "approved")
    later(hours=20)
    settle(message.format(charge), waits=message == "{}")
    assert state(charge) == "settling"
    assert [route for route, _ in cards.bank.calls].count("POST /v1/charges") == 0


@pytest.mark.parametrize(
    ("told", "ends", "wallet"),
    [("charged by-hand-1", "settled", 2_500), ("declined", "declined", 0)],
    ids=["charged", "declined"],
)
def test_operations_resolve_what_no_bank_resolves(cards, store, later, told, ends, wallet):
    """CB-21, L-11, L-12: their word counts once nothing is asked for anew, and once; the bank is not asked."""
    person, _, charge = topping_up(cards, "charge_ignored")
    settle(f"{charge} {told}")
    assert state(charge) == "settling"
    later(hours=20)
    for _ in range(2):
        settle(f"{charge} {told}")
        assert (state(charge), world.wallet(person)) == (ends, wallet)
    settle(f"{charge} declined")
    assert state(charge) == ends
    assert [route for route, _ in cards.bank.calls].count("POST /v1/charges") == 0
    books_balance(store)


def test_after_thirteen_asks_the_daily_comparison_takes_over(cards):
    """CB-21: the message is gone; so is one that asks once."""
    _, _, charge = topping_up(cards, "charge_ignored")
    settle(charge, before=11, waits=True)
    settle(charge, before=12)
    settle(f"{charge} once")
    assert state(charge) == "settling"


def waiting(queues):
    """How many messages of the queue can be received, and how many are hidden."""
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    address = os.environ["BILLFOLD_QUEUE_CHARGES"]
    return queues.get_queue_attributes(QueueUrl=address, AttributeNames=names)["Attributes"]


@pytest.mark.parametrize(("behaviour", "ends"), [("approved", "settled"), ("without_funds", "failed")])
def test_a_bill_is_paid_or_keeps_its_items_by_what_the_bank_says(cards, shop, cafe, behaviour, ends):
    """VB-17: one debit, one credit per seller; or nothing, and another instrument can be tried."""
    person, card = cards.active(behaviour)
    before = world.sales(shop), world.sales(cafe)
    bill = world.to_verify(person, (shop.tills[0], 900), (cafe.tills[0], 350))
    assert cards.verify(person, bill, card).body["state"] == "settling"
    settle(bill_rows.load(bill["id"]).present.charge_id)
    assert world.shown(person, bill["id"])["state"] == ends
    paid = (900, 350) if ends == "settled" else (0, 0)
    assert (world.sales(shop) - before[0], world.sales(cafe) - before[1]) == paid
    assert world.posted(f"card/{person.user_id}/{card}/USD") == -sum(paid)
    if ends == "failed":
        world.fund(person, 2_000)
        assert world.verify(person, bill["id"], bill["verification"]["list_hash"]).body["state"] == "settled"


def test_a_refund_goes_back_to_the_card(cards, shop):
    """VB-20, CB-21: through the same split; the bank gives back what it took."""
    person, card = cards.active()
    bill = world.to_verify(person, (shop.tills[0], 900))
    assert cards.verify(person, bill, card).status == 200
    cards.settle()
    item = world.shown(person, bill["id"])["items"][0]["id"]
    answer = world.refund(shop.admin, bill["id"], [item])
    assert answer.status == 201, answer
    cards.settle()
    assert world.shown(person, bill["id"])["state"] == "refunded"
    assert world.posted(f"card/{person.user_id}/{card}/USD") == 0
    assert world.wallet(person) == 0
    assert [route for route, _ in cards.bank.calls].count("POST /v1/refunds") == 1


def refunded(cards, shop, behaviour):
    """A bill that was paid by a card and refunded; its owner, card, bill and the refund's charge."""
    person, card = cards.active(behaviour)
    bill = world.to_verify(person, (shop.tills[0], 900))
    assert cards.verify(person, bill, card).status == 200
    cards.settle()
    item = world.shown(person, bill["id"])["items"][0]["id"]
    assert world.refund(shop.admin, bill["id"], [item]).status == 201
    return person, card, bill


def test_a_refund_that_fails_after_it_was_settled_goes_to_the_wallet_once(store, cards, shop, later):
    """VB-20, CB-21: by the bank's callback, which comes thrice; the owner hears of it, operations too, and the books are exact."""
    person, card, bill = refunded(cards, shop, "refund_fails")
    cards.settle()
    assert (world.wallet(person), world.posted(f"card/{person.user_id}/{card}/USD")) == (0, 0)
    later(seconds=10)
    for _ in range(3):
        cards.settle(twice=True)
    assert (world.wallet(person), world.posted(f"card/{person.user_id}/{card}/USD")) == (900, -900)
    assert world.shown(person, bill["id"])["state"] == "refunded"
    told = [one["type"] for one in call("GET", "/v1/events", person, query={"limit": "100"}).body["items"]]
    assert told.count("bill.refund_credited") == 1
    books_balance(store)


def test_a_refund_that_fails_before_it_is_asked_about_goes_to_the_wallet_too(store, cards, shop, later):
    """VB-20: the bank made it, its answer was lost, and the callback that it failed is handled first."""
    person, _, bill = refunded(cards, shop, "refund_fails")
    paid_by = bill_rows.load(bill["id"]).present.paid_by
    mine = [row for row in store.rows("charges") if row.get("owner", {}).get("S") == person.user_id]
    (charge,) = [row["pk"]["S"] for row in mine if row["purpose"]["S"] == "refund"]
    banks.bank("sandbox").refund(charge, paid_by.reference, 900, "USD", charge)
    later(seconds=10)
    settle(f"{charge} once")
    assert (state(charge), world.wallet(person)) == ("declined", 900)
    cards.settle(twice=True)
    assert world.wallet(person) == 900
    books_balance(store)


@pytest.mark.parametrize(("behaviour", "lost"), [("disputed", 2_500), ("dispute_won", 0)])
def test_a_disputed_charge_is_booked_as_the_bank_has_it(store, cards, caplog, later, behaviour, lost):
    """LG-01, LG-03, CB-21: taken back, it is nobody's yet and the customer's wallet stays; won, it is as before."""
    before = world.posted("chargebacks/USD")
    person, card, charge = topping_up(cards, behaviour)
    cards.settle()
    later(seconds=3)
    for _ in range(2):
        cards.settle(twice=True)
    assert (state(charge), world.posted("chargebacks/USD")) == ("disputed", before - 2_500)
    assert world.posted(f"card/{person.user_id}/{card}/USD") == 0
    later(seconds=10)
    for _ in range(2):
        cards.settle(twice=True)
    assert world.posted("chargebacks/USD") == before - lost
    assert state(charge) == ("disputed" if lost else "settled")
    assert world.wallet(person) == 2_500
    shown = call("GET", f"/v1/top-ups/{charge}", person).body
    assert shown["transfer"]
    differing = [vars(record).get("kind") for record in caplog.records if record.message == "differs"]
    assert differing == ["Disputed"] + ["Reinstated"] * (not lost)
    books_balance(store)


@pytest.fixture
def taken(cards, monkeypatch):
    """What the sandbox bank has taken back of any charge: dispute, amount and currency of each, for a test to fill."""
    disputes = []

    def answer(received):
        if received.path != "/v1/disputes":
            return cards.bank.answer(received)
        items = [
            {"reference": name, "amount": amount, "currency": code, "taken": True} for name, amount, code in disputes
        ]
        return 200, json.dumps({"items": items})

    with LocalServer(answer) as server:
        monkeypatch.setenv("BILLFOLD_SANDBOX_BANK_ADDRESS", server.address)
        yield disputes


def test_one_word_of_the_banks_books_all_that_it_has_taken_back(cards, queues, store, later, taken):
    """CB-21: two disputes, of which one was told."""
    before = world.posted("chargebacks/USD")
    _, _, charge = topping_up(cards, "approved")
    settle(charge)
    taken += [(f"dp_{number}", 100 * number, "USD") for number in (1, 2)]
    queues.send_message(QueueUrl=os.environ["BILLFOLD_QUEUE_CHARGES"], MessageBody=f"{charge} once")
    for _ in range(6):
        delivery.drain(queues)
        later(seconds=3)
    assert (state(charge), world.posted("chargebacks/USD")) == ("disputed", before - 300)
    assert not any(int(count) for count in waiting(queues).values()), "the message is done with"
    taken.clear()
    for _ in range(2):
        settle(f"{charge} once", waits=True)
    assert (state(charge), world.posted("chargebacks/USD")) == ("settled", before)
    settle(f"{charge} once")
    books_balance(store)


def test_a_dispute_in_another_currency_is_left_to_people(cards, taken, caplog):
    """LG-01: what is 1,000 of one currency is not 1,000 of another; operations are told, and nothing is booked."""
    _, _, charge = topping_up(cards, "approved")
    settle(charge)
    taken.append(("dp_1", 1_000, "EUR"))
    settle(f"{charge} once")
    assert state(charge) == "settled"
    assert [vars(record)["kind"] for record in caplog.records if record.message == "differs"] == ["dispute"]


def test_what_is_settled_is_asked_about_again_only_when_the_bank_says_something(cards):
    """CB-21: a copy of the message that asked for it asks nobody."""
    _, _, charge = topping_up(cards, "approved")
    settle(charge)
    asked = len(cards.bank.calls)
    settle(charge)
    assert len(cards.bank.calls) == asked
    settle(f"{charge} once")
    assert (len(cards.bank.calls), state(charge)) == (asked + 1, "settled")
