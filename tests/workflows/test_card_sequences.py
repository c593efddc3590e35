"""The hard sequences of cards: words that come late, early, twice, forged or never, and what each side then does about it.

After every test nothing is owed to nobody: the sum over all accounts of the ledger is zero (`cards` asserts it).
"""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine
import urllib3

from billfold import cards as rules
from billfold import charges
from billfold.banks.sandbox import derived_key
from billfold.cards import card_rows
from sandbox_bank import behaviours
from tests import world
from tests.cloud import bank_server, delivery
from tests.world import STEPS, Person, call, card_world, told
from tests.world.bank_fixtures import card
from tests.world.card_world import CODE, CardWorld

WRONG = "999999"
Later = Callable[[float], None]


def total(cards: CardWorld) -> int:
    """What all accounts hold together, over every lane: what is available and what is held."""
    rows = cards.engine.rows("ledger")
    return sum(int(row[part]["N"]) for row in rows for part in ("available", "held") if part in row)


@pytest.fixture
def cards(store, queues) -> Iterator[CardWorld]:
    with card_world.running(store, queues) as running:
        yield running
        assert total(running) == 0


@pytest.fixture
def later(cards: CardWorld) -> Iterator[Later]:
    """Moves the clock on by seconds, and has everything follow that was due by then."""
    with time_machine.travel(datetime.now(UTC), tick=True) as clock:

        def move(seconds: float) -> None:
            clock.shift(seconds)
            cards.settle()

        yield move


@pytest.fixture
def alice(cards: CardWorld) -> Person:
    return world.joined()


def bound(cards: CardWorld, person: Person, number: str, **options: Any) -> str:
    """A card submitted, and as far as it comes by itself."""
    card_id = str(cards.bind(person, number, **options).body["id"])
    cards.settle()
    return card_id


def state(cards: CardWorld, person: Person, card_id: str) -> str:
    return str(cards.seen(person, card_id)["state"])


def kinds(cards: CardWorld, person: Person) -> list[str]:
    """The types of a person's events, in order."""
    return [event["type"] for event in told(person)]


def changes(card_id: str) -> list[str]:
    """What happened to a card, in order, by its changes' names."""
    return [type(change).__name__ for change in card_rows.load(card_id).changes]


def asked(cards: CardWorld, route: str) -> int:
    """How often the bank was called this way."""
    return sum(called == route for called, _ in cards.bank.calls)


def bank_rows(cards: CardWorld, kind: str) -> list[dict[str, Any]]:
    """The bank's own rows: its authentications, or its charges and refunds."""
    sort = {"authentication": "authentication"}.get(kind)
    return [
        row
        for row in cards.engine.rows("sandbox_bank")
        if (row["sk"]["S"] == sort if sort else row.get("kind", {}).get("S") == kind and row["pk"]["S"] == "payments")
    ]


def callback(cards: CardWorld, told: dict[str, Any], *, secret: str = bank_server.SECRET, bank: str = "sandbox") -> int:
    """A callback signed with a secret; its status."""
    body, at, event = json.dumps(told), str(int(time.time())), "evt_1"
    key = derived_key(secret, "callbacks")
    signature = base64.b64encode(hmac.new(key, f"{event}.{at}.{body}".encode(), hashlib.sha256).digest()).decode()
    headers = {"Webhook-Id": event, "Webhook-Timestamp": at, "Webhook-Signature": f"v1,{signature}"}
    return call("POST", f"/v1/banks/{bank}/callbacks", raw=body, headers=headers).status


def approval(card_id: str, reference: str) -> dict[str, Any]:
    told = {"kind": "authentication", "outcome": "approved", "reference": reference, "token": "tok", "reason": ""}
    return told | {"merchant_reference": card_id}


def give_up(cards: CardWorld, later: Later) -> None:
    """Fifteen minutes of waiting, each wait for as long as the machine says."""
    for _ in range(40):
        waiting = cards.machines.waiting()
        if not waiting:
            return
        later(waiting[0].seconds)
        for execution in cards.machines.waiting():
            cards.machines.time_out(execution)
        cards.machines.run()
        cards.settle()
    raise AssertionError("it waits for ever")


# --------------------------------------------------------------------------------------------------------- authenticating


def test_a_success_after_the_end_is_recorded_and_withdrawn_and_never_activates(cards, later, alice):
    """CB-14, CB-13: approved 20 minutes after it was asked; expired by then; the bank takes its approval back."""
    card_id = bound(cards, alice, behaviours.late_number(1_200))
    give_up(cards, later)
    assert state(cards, alice, card_id) == "expired"
    later(400)
    later(400)
    assert state(cards, alice, card_id) == "expired"
    assert changes(card_id)[-2:] == ["ApprovedLate", "Withdrawn"]
    assert [row["withdrawn"]["BOOL"] for row in bank_rows(cards, "authentication")] == [True]
    assert cards.top_up(alice, card_id).code == "card_not_active"
    assert "card.linked" not in kinds(cards, alice)


def test_a_bank_that_says_nothing_for_a_quarter_of_an_hour_costs_nothing(cards, later, alice):
    """CB-13: asked again, each time later; then expired with its text, nothing in the vault, and free to be tried again."""
    card_id = bound(cards, alice, card("silent"))
    assert state(cards, alice, card_id) == "unknown"
    give_up(cards, later)
    seen = cards.seen(alice, card_id)
    assert (seen["state"], seen["text"]) == ("expired", "The bank did not answer. You were not charged.")
    assert cards.engine.rows("vault") == []
    assert cards.engine.rows("ledger") == []
    assert cards.bind(alice, card("silent")).status == 201


def test_two_failures_of_the_bank_then_success(cards, alice):
    """CB-13: 500 is unknown, and the bank that never heard of it is asked anew with the same key."""
    card_id = bound(cards, alice, card("failing"))
    for _ in range(4):
        cards.time_out()
    assert state(cards, alice, card_id) == "active"
    assert asked(cards, "POST /v1/authentications") == 3
    assert len(bank_rows(cards, "authentication")) == 1


def test_a_callback_that_comes_before_the_ask_returns(cards, alice):
    """CB-13: the bank speaks first; the ask's answer changes nothing, and the card is linked once."""
    card_id = bound(cards, alice, card("told_early"))
    assert state(cards, alice, card_id) == "active"
    assert changes(card_id) == ["Bound", "Checked", "Asked", "Answered", "Activated"]
    assert card_rows.load(card_id).changes[3].by == "callback"


@pytest.mark.parametrize("twice", [False, True], ids=["delivered once", "every message and record delivered twice"])
def test_three_copies_of_a_callback_are_one(cards, alice, twice):
    """CB-13: the first ask got no answer; the callback's copies link the card once, and its owner hears once."""
    card_id = str(cards.bind(alice, card("told_thrice")).body["id"])
    cards.settle(twice=twice)
    cards.settle(twice=twice)
    assert state(cards, alice, card_id) == "active"
    assert changes(card_id).count("Activated") == 1
    assert kinds(cards, alice).count("card.linked") == 1


def test_a_callback_with_a_wrong_signature_is_not_believed_and_asking_tells(cards, alice):
    """CB-13: 401 and no change; what the bank then answers when it is asked decides."""
    card_id = bound(cards, alice, card("forged"))
    assert state(cards, alice, card_id) == "unknown"
    assert callback(cards, approval(card_id, "bau_1"), secret="another secret") == 401
    assert state(cards, alice, card_id) == "unknown"
    cards.time_out()
    assert state(cards, alice, card_id) == "active"
    assert card_rows.load(card_id).changes[-2].by == "asking"


def test_a_callback_about_something_else_changes_nothing(cards, alice):
    """CB-12, CB-14: another authentication, an unknown card, a card nobody was asked about, another bank."""
    card_id = bound(cards, alice, card("challenged"))
    fresh = str(cards.bind(alice, card("approved")).body["id"])
    before = cards.engine.rows("cards")
    assert callback(cards, approval(card_id, "bau_of_another")) == 404
    assert callback(cards, approval("crd_" + "0" * 32, "bau_1")) == 404
    assert callback(cards, approval(fresh, "bau_1")) == 404
    assert callback(cards, approval(card_id, "bau_1"), bank="barclays") == 404
    assert cards.engine.rows("cards") == before
    assert state(cards, alice, card_id) == "challenged"


def test_a_callback_while_unknown_wakes_the_machine_that_waits(cards, later, alice):
    """CB-13: ten seconds late, told by a callback; nobody's waiting ran out."""
    card_id = bound(cards, alice, behaviours.late_number(10))
    assert state(cards, alice, card_id) == "unknown"
    later(11)
    later(1)
    assert state(cards, alice, card_id) == "active"


def test_a_wait_that_ends_as_the_word_arrives_ends_once(cards, alice):
    """CB-13: the callback is recorded, its message still under way, when the machine's time is up: the old token is spent."""
    card_id = bound(cards, alice, behaviours.late_number(10))
    (execution,) = cards.machines.waiting()
    reference = bank_rows(cards, "authentication")[0]["pk"]["S"]
    assert callback(cards, approval(card_id, reference)) == 204
    cards.machines.time_out(execution)
    cards.machines.run()
    cards.settle(twice=True)
    assert state(cards, alice, card_id) == "active"
    assert changes(card_id).count("Activated") == 1
    assert execution.status == "SUCCEEDED"


# -------------------------------------------------------------------------------------------------------------- the code


def test_a_code_whose_answer_is_lost_is_one_try_and_repeats_with_its_key(cards, alice):
    """CB-09, CB-13: 503 the first time; the same key asks the same again, and no try is lost."""
    card_id = bound(cards, alice, card("code_answer_lost"))
    assert cards.answer(alice, card_id, key="one").code == "unavailable"
    assert state(cards, alice, card_id) == "challenged"
    assert cards.answer(alice, card_id, key="one").status == 200
    cards.settle()
    assert state(cards, alice, card_id) == "active"
    assert changes(card_id).count("CodeTried") == 1


def test_a_code_whose_answer_is_lost_for_good_is_found_when_its_time_is_over(cards, later, alice):
    """CB-09, CB-13: a try that nobody judged may have been right; the bank is asked, and says so."""
    card_id = bound(cards, alice, card("code_answer_lost"))
    assert cards.answer(alice, card_id).code == "unavailable"
    later(301)
    cards.time_out()
    assert state(cards, alice, card_id) == "active"


def test_a_code_that_nobody_enters_in_five_minutes_declines(cards, later, alice):
    """CB-09: five minutes, then declined with the text, and a day to wait."""
    card_id = bound(cards, alice, card("challenged"))
    later(299)
    assert state(cards, alice, card_id) == "challenged"
    later(2)
    assert cards.answer(alice, card_id).code == "challenge_over"
    cards.time_out()
    seen = cards.seen(alice, card_id)
    assert seen["state"] == "declined"
    assert seen["text"].startswith("The code was not entered in time")
    refused = cards.bind(alice, card("challenged"))
    assert (refused.status, refused.code) == (429, "too_many_cards")
    assert 0 < int(refused.headers["Retry-After"]) <= 24 * 3600


def test_five_wrong_codes_decline_and_cool_down(cards, later, alice):
    """CB-09: the fifth wrong one is the last; for a day this owner cannot try this card, another owner can."""
    card_id = bound(cards, alice, card("challenged"))
    answers = [cards.answer(alice, card_id, WRONG) for _ in range(5)]
    assert [answer.code for answer in answers] == ["code_wrong"] * 5
    assert [answer.body["tries_left"] for answer in answers] == [4, 3, 2, 1, 0]
    assert cards.answer(alice, card_id).status == 409
    cards.settle()
    assert state(cards, alice, card_id) == "declined"
    assert cards.bind(alice, card("challenged")).status == 429
    assert cards.bind(world.joined(), card("challenged")).status == 201
    later(24 * 3600 + 1)
    assert cards.bind(alice, card("challenged")).status == 201


def test_a_code_is_resent_after_a_minute_and_three_times(cards, later, alice):
    """CB-09: 429 before 60 s, the same key is the same resend, the fourth is refused, and each gives five minutes anew."""
    card_id = bound(cards, alice, card("challenged"))
    early = cards.resend(alice, card_id)
    assert (early.status, early.code) == (429, "resend_too_soon")
    assert 0 < int(early.headers["Retry-After"]) <= 60
    for number in range(3):
        later(61)
        first = cards.resend(alice, card_id, key=f"resend {number}".replace(" ", "-"))
        assert first.status == 200
        assert cards.resend(alice, card_id, key=f"resend-{number}").body == first.body
    later(61)
    assert cards.resend(alice, card_id).code == "challenge_over"
    later(200)
    assert cards.answer(alice, card_id).status == 200
    cards.settle()
    assert state(cards, alice, card_id) == "active"


# ------------------------------------------------------------------------------------------------------------- cancelled


def cancel_created(cards: CardWorld, person: Person) -> str:
    """Removed before anybody began with it."""
    return str(cards.bind(person, card("approved")).body["id"])


def cancel_challenged(cards: CardWorld, person: Person) -> str:
    return bound(cards, person, card("challenged"))


def cancel_unknown(cards: CardWorld, person: Person) -> str:
    return bound(cards, person, behaviours.late_number(60))


@pytest.mark.parametrize("prepare", [cancel_created, cancel_challenged, cancel_unknown])
def test_a_card_that_is_given_up_stays_so_whatever_the_bank_says_after(cards, later, alice, prepare):
    """CB-14, CB-20: cancelled in each state; an approval that arrives afterwards is recorded and withdrawn, never active."""
    card_id = prepare(cards, alice)
    assert cards.remove(alice, card_id).status == 204
    assert state(cards, alice, card_id) == "cancelled"
    assert cards.engine.rows("vault") == []
    later(61)
    later(1)
    asked_for = bank_rows(cards, "authentication")
    if asked_for and prepare is cancel_challenged:
        assert callback(cards, approval(card_id, asked_for[0]["pk"]["S"])) == 204
        later(1)
    for _ in range(2):
        cards.time_out()
    assert state(cards, alice, card_id) == "cancelled"
    assert cards.machines.waiting() == []
    if asked_for:
        assert changes(card_id)[-2:] == ["ApprovedLate", "Withdrawn"]
        assert bank_rows(cards, "authentication")[0]["withdrawn"]["BOOL"]
    assert cards.bind(alice, card("approved", 7)).status == 201


def test_a_card_cancelled_between_the_approval_and_its_activation_is_withdrawn(cards, alice):
    """CB-14: the bank approved, the machine had not yet acted on it."""
    card_id = str(cards.bind(alice, card("challenged")).body["id"])
    cards.settle()
    assert cards.answer(alice, card_id).status == 200
    assert cards.remove(alice, card_id).status == 204
    cards.settle(twice=True)
    assert state(cards, alice, card_id) == "cancelled"
    assert changes(card_id).count("Withdrawn") == 1
    assert "Activated" not in changes(card_id)


# --------------------------------------------------------------------------------------------- twice, and in reverse order


def settle_backwards(cards: CardWorld) -> None:
    """Every stream record to its forwarding step, the last first, one by one; then all that follows, twice."""
    for table, name in delivery.STREAMS.items():
        for record in reversed(delivery.records(cards.engine, table)):
            STEPS[name].handler({"Records": [record]}, None)
    cards.settle(twice=True)


@pytest.mark.parametrize("behaviour", ["approved", "told_early", "told_thrice", "declined", "challenged"])
def test_everything_delivered_twice_and_backwards_comes_to_the_same(cards, alice, behaviour):
    """XX-02: at least once, in any order: the same state, one activation, one event of each kind."""
    card_id = str(cards.bind(alice, card(behaviour)).body["id"])
    settle_backwards(cards)
    if behaviour == "challenged":
        assert cards.answer(alice, card_id, CODE).status == 200
        settle_backwards(cards)
    expected = "declined" if behaviour == "declined" else "active"
    assert state(cards, alice, card_id) == expected
    if expected == "active":
        started = cards.top_up(alice, card_id, 700)
        settle_backwards(cards)
        assert world.wallet(alice) == 700
        assert len(bank_rows(cards, "charge")) == 1
        assert call("GET", f"/v1/top-ups/{started.body['id']}", alice).body["state"] == "settled"
    told = kinds(cards, alice)
    assert len(told) == len(set(told)), told


# -------------------------------------------------------------------------------------------------------------- charges


@pytest.mark.parametrize("behaviour", ["charge_lost", "charge_told"])
def test_a_charge_whose_answer_is_lost_is_made_once(cards, later, alice, behaviour):
    """CB-21: settling until it is asked about, or told; then one charge at the bank and one transfer here."""
    card_id = cards.linked(alice, card(behaviour))
    started = cards.top_up(alice, card_id, 2_500, key="once")
    cards.settle()
    path = f"/v1/top-ups/{started.body['id']}"
    assert call("GET", path, alice).body["state"] == "settling"
    assert cards.remove(alice, card_id).code == "card_busy"
    for _ in range(3):
        later(5)
        cards.settle(twice=True)
    assert call("GET", path, alice).body["state"] == "settled"
    assert len(bank_rows(cards, "charge")) == 1
    assert world.wallet(alice) == 2_500
    assert cards.top_up(alice, card_id, 2_500, key="once").body == started.body
    cards.settle()
    assert world.wallet(alice) == 2_500
    assert cards.remove(alice, card_id).status == 204


def test_a_charge_that_is_never_made_nor_answered_is_never_assumed(cards, later, alice):
    """CB-21: held and settling through every ask, until the daily comparison; no money moves, and nothing is at the bank."""
    card_id = cards.linked(alice, card("charge_ignored"))
    started = cards.top_up(alice, card_id)
    path = f"/v1/top-ups/{started.body['id']}"
    cards.settle()
    delivery.begin(cards.engine)
    for _ in range(14):
        later(901)
    # Looked up before each further ask; the first two looks get no answer, so nothing is asked for after them.
    assert asked(cards, "GET /v1/operations") == charges.MAX_ASKS
    assert asked(cards, "POST /v1/charges") == 1 + charges.MAX_ASKS - 2
    assert call("GET", path, alice).body["state"] == "settling"
    assert (world.wallet(alice), bank_rows(cards, "charge")) == (0, [])
    later(24 * 3600)
    asks, looks = asked(cards, "POST /v1/charges"), asked(cards, "GET /v1/operations")
    STEPS["reconcile_charges"].handler({}, None)
    cards.settle()
    # A day later a bank may have forgotten the key: it is looked up, and not asked for anew.
    assert asked(cards, "POST /v1/charges") == asks
    assert asked(cards, "GET /v1/operations") == looks + 1
    assert call("GET", path, alice).body["state"] == "settling"


def to_pay(cards: CardWorld, person: Person, shop: world.Seller, behaviour: str, *amounts: int) -> tuple[str, Any]:
    """A linked card and a bill that waits to be verified."""
    card_id = cards.linked(person, card(behaviour))
    tills = [shop.tills[number % 2] for number in range(len(amounts))]
    return card_id, world.to_verify(person, *zip(tills, amounts, strict=True))


def test_a_bill_whose_charge_is_declined_can_be_paid_by_the_wallet(cards, alice):
    """VB-17, CB-21: failed, the items kept, nothing moved, the hold gone; then the wallet pays the same list."""
    shop = world.seller()
    card_id, bill = to_pay(cards, alice, shop, "without_funds", 1_250)
    assert cards.verify(alice, bill, card_id).body["state"] == "settling"
    cards.settle(twice=True)
    assert world.shown(alice, bill["id"])["state"] == "failed"
    assert (world.sales(shop), bank_rows(cards, "charge")) == (0, [])
    world.fund(alice, 2_000)
    paid = world.verify(alice, bill["id"], bill["verification"]["list_hash"])
    assert (paid.status, paid.body["state"]) == (200, "settled")
    assert (world.wallet(alice), world.sales(shop)) == (750, 1_250)
    assert cards.remove(alice, card_id).status == 204


@pytest.mark.parametrize("parts", [[[0, 1]], [[0], [1]]], ids=["at once", "in two parts"])
def test_a_refund_of_a_bill_paid_by_card_goes_back_to_the_card(cards, alice, parts):
    """VB-20, CB-21: full and partial; the bank gives back, the wallet gets nothing, the seller keeps nothing."""
    shop = world.seller()
    card_id, bill = to_pay(cards, alice, shop, "approved", 1_000, 250)
    cards.verify(alice, bill, card_id)
    cards.settle()
    paid = world.shown(alice, bill["id"])
    assert (paid["state"], world.sales(shop)) == ("settled", 1_250)
    for part in parts:
        refunded = world.refund(shop.admin, bill["id"], [paid["items"][number]["id"] for number in part])
        assert refunded.status == 201
        cards.settle(twice=True)
    assert (world.sales(shop), world.wallet(alice)) == (0, 0)
    assert world.posted(f"card/{alice.user_id}/{card_id}/USD") == 0
    given = sorted(int(row["amount"]["N"]) for row in bank_rows(cards, "refund"))
    assert given == sorted(sum((1_000, 250)[number] for number in part) for part in parts)


def test_a_refund_that_the_bank_declines_goes_to_the_wallet(cards, alice):
    """VB-20, CB-21: the bank has given the charge back already; the money is the owner's all the same."""
    shop = world.seller()
    card_id, bill = to_pay(cards, alice, shop, "approved", 1_000)
    cards.verify(alice, bill, card_id)
    cards.settle()
    (charge,) = bank_rows(cards, "charge")
    bearer = {"Authorization": f"Bearer {derived_key(bank_server.SECRET, 'calls').hex()}", "Idempotency-Key": "by-hand"}
    body = {"reference": charge["sk"]["S"], "amount": None}
    assert urllib3.request("POST", f"{cards.bank.address}/v1/refunds", json=body, headers=bearer).status == 200
    paid = world.shown(alice, bill["id"])
    assert world.refund(shop.admin, bill["id"], [paid["items"][0]["id"]]).status == 201
    cards.settle(twice=True)
    assert (world.sales(shop), world.wallet(alice)) == (0, 1_000)


# -------------------------------------------------------------------------------------------------------- reconciliation


def edit(cards: CardWorld, table: str, row: dict[str, Any], **changed: Any) -> None:
    """Change a row behind everybody's back."""
    cards.engine.client.put_item(TableName=f"billfold-{table}", Item=row | changed)


def lose_here(cards: CardWorld, charge: str) -> None:
    for row in cards.engine.rows("charges"):
        if row["pk"]["S"] == charge:
            cards.engine.client.delete_item(TableName="billfold-charges", Key={"pk": row["pk"], "sk": row["sk"]})


def lose_there(cards: CardWorld, charge: str) -> None:
    (row,) = bank_rows(cards, "charge")
    cards.engine.client.delete_item(TableName="billfold-sandbox_bank", Key={"pk": row["pk"], "sk": row["sk"]})


def other_amount(cards: CardWorld, charge: str) -> None:
    edit(cards, "sandbox_bank", bank_rows(cards, "charge")[0], amount={"N": "2501"})


def other_currency(cards: CardWorld, charge: str) -> None:
    edit(cards, "sandbox_bank", bank_rows(cards, "charge")[0], currency={"S": "EUR"})


def other_state(cards: CardWorld, charge: str) -> None:
    (head,) = [row for row in cards.engine.rows("charges") if (row["pk"]["S"], row["sk"]["S"]) == (charge, "#")]
    edit(cards, "charges", head, state={"S": "declined"})


def nothing(cards: CardWorld, charge: str) -> None:
    """Both lists agree."""


@pytest.mark.parametrize(
    ("plant", "kind"),
    [
        (nothing, None),
        (lose_here, "missing_here"),
        (lose_there, "missing_there"),
        (other_amount, "amount"),
        (other_currency, "amount"),
        (other_state, "state"),
    ],
)
def test_the_daily_comparison_finds_each_kind_of_difference(cards, later, alice, plant, kind):
    """CB-21: one line of a day differs; the report names it, once."""
    card_id = cards.linked(alice, card("approved"))
    charge = cards.top_up(alice, card_id, 2_500).body["id"]
    cards.settle()
    delivery.begin(cards.engine)
    plant(cards, charge)
    later(24 * 3600)
    assert STEPS["reconcile_charges"].handler({}, None)["found"] == charges.LOOKS_BACK_DAYS
    delivery.drain(cards.queues)
    reports = [row for row in cards.engine.rows("charges") if row["pk"]["S"].startswith("rec_")]
    named = [one for report in reports for one in json.loads(report["differences"]["S"])]
    assert [(one["kind"], one["key"]) for one in named] == ([(kind, charge)] if kind else [])
    assert sum(int(report["found"]["N"]) for report in reports) == len(named)
    assert STEPS["reconcile_charges"].handler({}, None)["found"] == 0


def test_the_machine_asks_no_longer_than_the_rules_say(cards, later, alice):
    """CB-13: each wait is longer than the one before, none beyond two minutes, all together a quarter of an hour."""
    bound(cards, alice, card("silent"))
    waits = []
    while waiting := cards.machines.waiting():
        waits.append(waiting[0].seconds)
        later(waiting[0].seconds)
        cards.machines.time_out(waiting[0])
        cards.machines.run()
        cards.settle()
    growing = waits[: waits.index(max(waits)) + 1]
    assert growing == sorted(set(growing))
    assert len(growing) >= 6
    assert max(waits) * 1_000 <= rules.LONGEST_WAIT
    assert abs(sum(waits) * 1_000 - rules.PATIENCE) <= 60_000
