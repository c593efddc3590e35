"""Scenarios of charges: top-ups, bills and refunds by card, and what becomes of them at the bank."""

import json
import os
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from unittest.mock import patch

from billfold import banks, charges, clock
from billfold.bills import bill_rows
from billfold.charges import Line, charge_rows, comparison_rows, comparisons
from billfold.charges.comparisons import Comparison
from billfold.clock import HOUR
from billfold.tables.commits import Commit
from sandbox_bank import payments
from sandbox_bank import rows as bank_rows
from tests import world
from tests.proof import card_scenarios
from tests.proof.bill_scenarios import bill_of
from tests.proof.harness import Harness, Outcome, ago, happening, http, message
from tests.proof.plays import Occasion, Scenario
from tests.world import PIN, Person, Seller, call
from tests.world.card_world import Case

AMOUNT = 2_500
PRICE = 1_250
# Where no bank answers: the port that nothing may use.
NOBODY = "http://127.0.0.1:1"


def _nothing() -> None:
    """A step that only reads has no effect to look for."""


def _card_balance(case: Case) -> int:
    person, card = case
    return world.posted(f"card/{person.user_id}/{card}/USD")


# -------------------------------------------------------------------------------------------------------------- top-ups


def _top_up(case: Case, payer: Person | None = None) -> Occasion:
    person, card = case
    path, body = "/v1/top-ups", {"card": card, "amount": {"amount": AMOUNT, "currency": "USD"}}

    def effect() -> None:
        assert (world.wallet(person), _card_balance(case)) == (0, 0)

    return Occasion(http("POST", path, payer or person, body, key="top-up"), effect)


def _tops_up(harness: Harness) -> Occasion:
    return _top_up(harness.cards.active())


def _tops_up_by_anothers(harness: Harness) -> Occasion:
    return _top_up(harness.cards.active(), world.joined())


def _tops_up_an_eleventh_time(harness: Harness) -> Occasion:
    case = harness.cards.active()
    for _ in range(10):
        assert harness.cards.top_up(*case, AMOUNT).status == 202
    return _top_up(case)


def _tops_up_before_it_is_linked(harness: Harness) -> Occasion:
    return _top_up(harness.cards.asked())


def started(harness: Harness, behaviour: str = "approved") -> tuple[Case, str]:
    """A person with a card, and a top-up that its bank is to be asked for."""
    case = harness.cards.active(behaviour)
    answer = harness.cards.top_up(*case, AMOUNT)
    assert answer.status == 202, answer
    return case, str(answer.body["id"])


def _shows(harness: Harness) -> Occasion:
    (person, _), charge = started(harness)
    return Occasion(http("GET", f"/v1/top-ups/{charge}", person), _nothing)


def settle(message_body: str) -> None:
    """The bank asked for a charge, outside of what is proved; without an answer the message waits."""
    assert message("settle_charge", message_body)().status in (200, 503)


def _settle(case: Case, message_body: str, state: str) -> Occasion:
    def effect() -> None:
        charge = message_body.split()[0]
        assert call("GET", f"/v1/top-ups/{charge}", case[0]).body["state"] == state
        moved = AMOUNT if state == "settled" else 0
        assert (world.wallet(case[0]), _card_balance(case)) == (moved, -moved)
        made = [row for row in bank_rows.payments(0, clock.now() + HOUR, "", 10) if row.key == charge]
        assert len(made) == (state == "settled")

    return Occasion(message("settle_charge", message_body), effect)


def _settles(behaviour: str, state: str) -> Callable[[Harness], Occasion]:
    def prepare(harness: Harness) -> Occasion:
        case, charge = started(harness, behaviour)
        return _settle(case, charge, state)

    return prepare


def _settles_what_was_lost(harness: Harness) -> Occasion:
    case, charge = started(harness, "charge_lost")
    settle(charge)
    return _settle(case, f"{charge} once", "settled")


def _settles_what_never_arrived(harness: Harness) -> Occasion:
    """The message comes after another; the bank knows nothing of it."""
    case, charge = started(harness)
    return _settle(case, f"{charge} once", "settled")


def _settles_no_more(harness: Harness) -> Occasion:
    case, charge = started(harness)
    settle(charge)
    return _settle(case, charge, "settled")


def _leaves_to_the_comparison(harness: Harness) -> Occasion:
    case, charge = started(harness, "charge_ignored")
    return _settle(case, f"{charge} once", "settling")


# ---------------------------------------------------------------------------------------------------------------- bills


def to_pay(harness: Harness, behaviour: str = "approved", sellers: int = 1) -> tuple[Case, list[Seller], Any]:
    """A person with a card and a bill that waits for its verification, with one item of each seller."""
    case = harness.cards.active(behaviour)
    shops = [world.seller(terminals=1) for _ in range(sellers)]
    return case, shops, world.to_verify(case[0], *((shop.tills[0], PRICE) for shop in shops))


def paying(harness: Harness, behaviour: str = "approved", sellers: int = 1) -> tuple[Case, list[Seller], Any, str]:
    """The same, verified: its bank is to be asked for the charge."""
    case, shops, bill = to_pay(harness, behaviour, sellers)
    answer = harness.cards.verify(case[0], bill, case[1])
    assert (answer.status, answer.body["state"]) == (200, "settling"), answer
    return case, shops, bill, bill_rows.load(bill["id"]).present.charge_id


def _verifies(harness: Harness) -> Occasion:
    (person, card), shops, bill = to_pay(harness)

    def effect() -> None:
        assert bill_of(person, bill["id"])["state"] == "settling"
        assert world.sales(shops[0]) == 0
        assert harness.cards.remove(person, card, PIN).code == "card_busy"

    body = {"list_hash": bill["verification"]["list_hash"], "pin": PIN, "instrument": card}
    path = f"/v1/bills/{bill['id']}/verification"
    return Occasion(http("POST", path, person, body, key="verify", phone=person.phone), effect)


def _verifies_by_one_that_cannot_pay(harness: Harness) -> Occasion:
    person, card = harness.cards.challenged()
    shop = world.seller(terminals=1)
    bill = world.to_verify(person, (shop.tills[0], PRICE))

    def effect() -> None:
        assert bill_of(person, bill["id"])["state"] == "verifying"

    body = {"list_hash": bill["verification"]["list_hash"], "pin": PIN, "instrument": card}
    path = f"/v1/bills/{bill['id']}/verification"
    return Occasion(http("POST", path, person, body, key="verify", phone=person.phone), effect)


def _settle_bill(harness: Harness, behaviour: str, state: str) -> Occasion:
    case, shops, bill, charge = paying(harness, behaviour, sellers=2)

    def effect() -> None:
        assert bill_of(case[0], bill["id"])["state"] == state
        paid = PRICE if state == "settled" else 0
        assert [world.sales(shop) for shop in shops] == [paid, paid]
        assert (world.wallet(case[0]), _card_balance(case)) == (0, -2 * paid)

    return Occasion(message("settle_charge", charge), effect)


def _settles_a_bill(harness: Harness) -> Occasion:
    return _settle_bill(harness, "approved", "settled")


def _declines_a_bill(harness: Harness) -> Occasion:
    return _settle_bill(harness, "without_funds", "failed")


def paid(harness: Harness) -> tuple[Case, Seller, Any]:
    """A bill that was paid by card."""
    case, shops, bill, charge = paying(harness)
    settle(charge)
    return case, shops[0], bill_of(case[0], bill["id"])


def _refunds(harness: Harness) -> Occasion:
    case, shop, bill = paid(harness)
    item = bill["items"][0]["id"]

    def effect() -> None:
        assert bill_of(case[0], bill["id"])["state"] == "refunded"
        assert (world.sales(shop), _card_balance(case), world.wallet(case[0])) == (0, 0, 0)

    body = {"items": [item], "reason": "cold"}
    return Occasion(http("POST", f"/v1/bills/{bill['id']}/refunds", shop.admin, body, key="refund"), effect)


def _settle_refund(harness: Harness, *, taken: bool) -> Occasion:
    """`taken`: whether the card's bank takes the money back; when it has none to give, the wallet gets it."""
    case, shop, bill = paid(harness)
    items = [item["id"] for item in bill["items"]]
    assert world.refund(shop.admin, bill["id"], items).status == 201
    (charge,) = _charges("refund")
    paid_by = bill_rows.load(bill["id"]).present.paid_by
    assert paid_by
    if not taken:
        by_hand = banks.bank("sandbox").refund("by hand", paid_by.reference, PRICE, "USD", "by hand")
        assert by_hand.outcome == "refunded"

    def effect() -> None:
        state = charge_rows.load(charge).present.state
        assert state == ("settled" if taken else "declined")
        back = 0 if taken else PRICE
        assert (world.wallet(case[0]), _card_balance(case), world.sales(shop)) == (back, -back, 0)

    return Occasion(message("settle_charge", charge), effect)


def _charges(purpose: str) -> list[str]:
    begun = charge_rows.begun_on(clock.now())
    return [charge for charge in begun if charge_rows.load(charge).present.purpose == purpose]


def _settles_a_refund(harness: Harness) -> Occasion:
    return _settle_refund(harness, taken=True)


def _declines_a_refund(harness: Harness) -> Occasion:
    return _settle_refund(harness, taken=False)


def _credits_a_refund_that_failed(harness: Harness) -> Occasion:
    """Its bank made it a while ago, and could not deliver it."""
    with ago(minutes=1):
        case, shops, bill, paying_charge = paying(harness, "refund_fails")
        settle(paying_charge)
        items = [item["id"] for item in bill_of(case[0], bill["id"])["items"]]
        assert world.refund(shops[0].admin, bill["id"], items).status == 201
        (charge,) = _charges("refund")
        settle(charge)

    def effect() -> None:
        assert charge_rows.load(charge).present.state == "failed"
        assert (world.wallet(case[0]), _card_balance(case)) == (PRICE, -PRICE)

    return Occasion(message("settle_charge", f"{charge} once"), effect)


def _books_a_dispute(harness: Harness) -> Occasion:
    with ago(minutes=1):
        case, charge = started(harness, "disputed")
        settle(charge)

    def effect() -> None:
        assert charge_rows.load(charge).present.state == "disputed"
        assert (world.wallet(case[0]), _card_balance(case)) == (AMOUNT, 0)
        assert world.posted("chargebacks/USD") == -AMOUNT

    return Occasion(message("settle_charge", f"{charge} once"), effect)


# ------------------------------------------------------------------------------------------------ the bank and the clock


def _hears_of_a_charge(harness: Harness) -> Occasion:
    case, charge = started(harness, "charge_lost")
    settle(charge)
    (made,) = bank_rows.payments(0, clock.now() + HOUR, "", 10)

    def effect() -> None:
        assert call("GET", f"/v1/top-ups/{charge}", case[0]).body["state"] == "settled"
        assert world.wallet(case[0]) == AMOUNT

    return Occasion(card_scenarios.told(payments.present(made, clock.now())), effect)


def _yesterday(harness: Harness) -> tuple[Comparison, str, str]:
    """Yesterday's comparison: a charge that settled, and one that the bank made and we never heard of, which is overdue too."""
    with ago(days=1):
        _, charge = started(harness)
        settle(charge)
        _, lost = started(harness, "charge_lost")
        settle(lost)
    return Comparison("sandbox", charges.days_to_compare(clock.now())[-1], clock.now()), charge, lost


def _report(harness: Harness, comparison: Comparison) -> tuple[int, int, list[str]]:
    """How many a report says were compared and differ, and the keys that it names."""
    key = {"pk": {"S": f"rec_{comparison.day.name}"}, "sk": {"S": "sandbox"}}
    item = harness.engine.client.get_item(TableName="billfold-charges", Key=key)["Item"]
    named = [one["key"] for one in json.loads(item["differences"]["S"])]
    return int(item["compared"]["N"]), int(item["found"]["N"]), named


def _begins_comparisons(harness: Harness) -> Occasion:
    """What is overdue is asked for before its day is compared here, and is no difference any more."""
    comparison, _, lost = _yesterday(harness)

    def effect() -> None:
        assert charge_rows.load(lost).present.state == "settled"
        assert _report(harness, comparison) == (2, 0, [])

    return Occasion(happening("reconcile_charges", {}), effect)


def _compares_at_once(harness: Harness) -> Occasion:
    comparison, _, lost = _yesterday(harness)

    def effect() -> None:
        assert _report(harness, comparison) == (2, 1, [lost])

    return Occasion(message("compare_charges", comparison.message), effect)


def _so_far(comparison: Comparison, cursor: str = "", part: int = 0) -> Comparison:
    """A comparison of a long list: after a piece that ended at this cursor, or, without one, when this part is next."""
    after = replace(comparisons.listed(comparison, cursor), **({} if cursor else {"part": part}))
    (banked, *_) = bank_rows.payments(0, clock.now(), "", 10)
    line = Line(banked.key, banked.amount, banked.currency, "settled", banked.at, "charge", banked.sk)
    commit = Commit(after.message)
    comparison_rows.add_piece(commit, after, [line])
    commit.send()
    return after


def _lists(harness: Harness) -> Occasion:
    comparison, _, lost = _yesterday(harness)
    first, _ = bank_rows.payments(0, clock.now(), "", 10)
    after = _so_far(comparison, cursor=first.sk)

    def effect() -> None:
        listed = comparison_rows.load(replace(after, pieces=2).message)
        assert listed
        assert (listed.state, listed.part) == ("comparing", 0)
        of_the_lost = comparison_rows.lines(replace(listed, part=comparisons.part_of(lost)))
        assert lost in [line.key for line in of_the_lost]

    return Occasion(message("compare_charges", after.message), effect)


def _compares_a_part(harness: Harness) -> Occasion:
    comparison, charge, _ = _yesterday(harness)
    after = _so_far(comparison, part=min(comparisons.part_of(charge), comparisons.PARTS - 2))

    def effect() -> None:
        further = comparison_rows.load(replace(after, pieces=2).message)
        assert further
        assert (further.state, further.part) == ("comparing", (after.part or 0) + 1)

    return Occasion(message("compare_charges", after.message), effect)


def _reports(harness: Harness) -> Occasion:
    comparison, _, _ = _yesterday(harness)
    after = _so_far(comparison, part=comparisons.PARTS - 1)

    def effect() -> None:
        assert _report(harness, comparison)[1] in (0, 1)

    return Occasion(message("compare_charges", after.message), effect)


def _waits_for_a_silent_bank(harness: Harness) -> Occasion:
    comparison, _, _ = _yesterday(harness)
    arrive = message("compare_charges", comparison.message)

    def arrive_in_silence() -> Outcome:
        with patch.dict(os.environ, BILLFOLD_SANDBOX_BANK_ADDRESS=NOBODY):
            return arrive()

    def effect() -> None:
        assert comparison_rows.load(comparison.message) == comparison

    return Occasion(arrive_in_silence, effect)


def _forwards(harness: Harness) -> Occasion:
    (person, _), charge = started(harness)
    settle(charge)
    (_, _), other = started(harness)

    def effect() -> None:
        told = call("GET", "/v1/events", person).body["items"]
        assert [event["type"] for event in told if event["about"] == charge] == ["top_up.started", "top_up.settled"]
        assert charge_rows.load(other).present.state == "settled"

    return Occasion(happening("forward_charge_changes", harness.records("charges")), effect)


def _forwards_a_piece(harness: Harness) -> Occasion:
    comparison, _, _ = _yesterday(harness)
    after = _so_far(comparison)

    def effect() -> None:
        assert comparison_rows.load(after.message) is None, "the piece after it is done"

    return Occasion(happening("forward_charge_changes", harness.records("charges")), effect)


ALL = (
    Scenario("top_up_wallet", "by a card", _tops_up, 202),
    Scenario("top_up_wallet", "by another's", _tops_up_by_anothers, 404),
    Scenario("top_up_wallet", "before it is linked", _tops_up_before_it_is_linked, 409),
    Scenario("top_up_wallet", "an eleventh one", _tops_up_an_eleventh_time, 429),
    Scenario("get_top_up", "settling", _shows),
    Scenario("settle_charge", "a top-up", _settles("approved", "settled")),
    Scenario("settle_charge", "a top-up, declined", _settles("without_funds", "declined")),
    Scenario("settle_charge", "a top-up, no answer", _settles("charge_ignored", "settling"), 503),
    Scenario("settle_charge", "a top-up, whose answer was lost", _settles_what_was_lost),
    Scenario("settle_charge", "a top-up, whose ask was lost", _settles_what_never_arrived),
    Scenario("settle_charge", "a top-up, settled before", _settles_no_more),
    Scenario("settle_charge", "a top-up, asked for often enough", _leaves_to_the_comparison),
    Scenario("settle_charge", "a bill", _settles_a_bill),
    Scenario("settle_charge", "a bill, declined", _declines_a_bill),
    Scenario("settle_charge", "a refund", _settles_a_refund),
    Scenario("settle_charge", "a refund, declined", _declines_a_refund),
    Scenario("settle_charge", "a refund that failed later", _credits_a_refund_that_failed),
    Scenario("settle_charge", "a dispute", _books_a_dispute, 503, again=(200, 503)),
    Scenario("verify_bill", "by a card", _verifies),
    Scenario("verify_bill", "by a card that cannot pay", _verifies_by_one_that_cannot_pay, 409),
    Scenario("refund_items", "of a card's payment", _refunds, 201),
    Scenario("receive_callback", "about a charge", _hears_of_a_charge, 204, followed=True),
    Scenario("reconcile_charges", "a day with one difference", _begins_comparisons, followed=True),
    Scenario("compare_charges", "a day at once", _compares_at_once),
    Scenario("compare_charges", "the end of a long list", _lists),
    Scenario("compare_charges", "a part", _compares_a_part),
    Scenario("compare_charges", "the last part", _reports),
    Scenario("compare_charges", "no answer", _waits_for_a_silent_bank, 503),
    Scenario("forward_charge_changes", "two top-ups", _forwards, followed=True, streams=True),
    Scenario("forward_charge_changes", "a comparison's piece", _forwards_a_piece, followed=True, streams=True),
)
