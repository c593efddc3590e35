"""Tapping signed items into a bill."""

import json
import uuid

import pytest

from billfold.bills.bill_items import MAX_SELLERS
from infra.clients.phones import Phone, Till
from tests import world
from tests.cloud.delivery import sqs_event
from tests.world import Person, call, close, tap

TEA = [("tea", 2, 150)]


@pytest.fixture
def bill(visitor):
    return world.opened(visitor, period_seconds=300)


def outcomes(answer):
    return [result["outcome"] for result in answer.body["results"]]


def refusal(answer, index=0):
    return answer.body["results"][index]["problem"]["code"]


def recorded(store, bill):
    """The codes of the refusals that the bill's own record keeps."""
    rows = [
        row for row in store.rows("bills") if row["pk"]["S"] == bill and row.get("kind", {}).get("S") == "items_added"
    ]
    facts = [json.loads(row["facts"]["S"]) for row in rows]
    return [outcome["refusal"] for fact in facts for outcome in fact["outcomes"] if outcome["outcome"] == "refused"]


def test_a_signed_item_lands_on_the_bill(visitor, shop, bill):
    """VB-06, VB-10: what the terminal signed is shown, and the total is the server's own sum."""
    item = shop.tills[0].item(bill, TEA)
    answer = tap(visitor, bill, [item])
    assert (answer.status, outcomes(answer)) == (200, ["added"])
    landed = answer.body["bill"]["items"][0]
    assert landed["id"] == answer.body["results"][0]["item"]
    assert landed | {"id": ""} == {
        "id": "",
        "merchant": shop.merchant,
        "state": "added",
        **{name: item[name] for name in ("terminal", "counter", "signed_at", "lines", "amount")},
    }
    assert answer.body["bill"]["total"] == {"amount": 300, "currency": "USD"}


def test_a_phone_with_a_p256_key_taps_as_well(store, shop):
    """Phones' secure hardware mostly speaks P-256."""
    person = world.joined(Person(phone=Phone("P-256")), pin=None)
    bill = world.opened(person)
    assert outcomes(tap(person, bill, [shop.tills[0].item(bill, TEA)])) == ["added"]


def test_another_phone_of_the_user_may_look_but_not_add(visitor, shop, bill):
    """VB-02: only the bill's own device adds."""
    tablet = world.joined(Person(visitor.sub), pin=None)
    answer = tap(tablet, bill, [shop.tills[0].item(bill, TEA)])
    assert (answer.status, answer.code) == (403, "device_mismatch")
    assert world.shown(tablet, bill)["items"] == []


def test_a_call_without_proof_of_the_phone_is_refused(visitor, shop, bill):
    """VB-02: a token without the device's key adds nothing."""
    answer = call("POST", f"/v1/bills/{bill}/items", visitor, {"items": [shop.tills[0].item(bill, TEA)]})
    assert (answer.status, answer.code) == (403, "proof_missing")


def test_anothers_bill_does_not_exist(alice, visitor, shop, bill):
    """XX-05: not found, as for a bill that never was."""
    anothers = tap(alice, bill, [shop.tills[0].item(bill, TEA)])
    unknown = tap(alice, "bil_" + "0" * 32, [shop.tills[0].item(bill, TEA)])
    assert anothers.status == unknown.status == 404
    assert anothers.body | {"instance": ""} == unknown.body | {"instance": ""}


def test_a_suspended_user_adds_nothing(visitor, shop, bill):
    """VB-01: suspension holds from the next request."""
    world.suspend(visitor)
    assert tap(visitor, bill, [shop.tills[0].item(bill, TEA)]).code == "user_suspended"


def test_one_bill_takes_items_from_forty_sellers_and_no_more(visitor, bill, shop):
    """VB-09: forty sellers at least; the limit is what one settlement's transaction can hold."""
    items = []
    for _ in range(MAX_SELLERS + 1):
        merchant = call("POST", "/v1/merchants", shop.admin, {"name": "Stall"}).body["id"]
        till = Till()
        fields = {"merchant": merchant, "public_key": till.public_key}
        till.terminal_id = call("POST", "/v1/terminals", shop.admin, fields).body["id"]
        items.append(till.item(bill, TEA))
    answer = tap(visitor, bill, items)
    assert outcomes(answer) == ["added"] * 40 + ["refused"]
    assert refusal(answer, 40) == "bill_full"
    assert answer.body["bill"]["total"]["amount"] == 40 * 300


def test_a_bad_item_refuses_only_itself(visitor, shop, bill):
    """VB-11: the rest of the batch lands, in the order given."""
    till = shop.tills[0]
    good, forged, other = till.item(bill, TEA), till.item(bill, TEA), till.item(bill, [("cake", 1, 400)])
    answer = tap(visitor, bill, [good, forged | {"amount": 1}, {"nonsense": True}, other])
    assert outcomes(answer) == ["added", "refused", "refused", "added"]
    assert [answer.body["results"][index]["problem"]["pointer"] for index in (1, 2)] == [
        "/items/1/amount",
        "/items/2/nonsense",
    ]
    assert answer.body["bill"]["total"]["amount"] == 700


def test_the_same_item_again_is_repeated_and_lands_once(visitor, shop, bill):
    """VB-11: within one batch, and in a later one."""
    item = shop.tills[0].item(bill, TEA)
    first = tap(visitor, bill, [item, item])
    second = tap(visitor, bill, [item])
    assert outcomes(first) + outcomes(second) == ["added", "repeated", "repeated"]
    assert {result["item"] for result in first.body["results"] + second.body["results"]} == {
        first.body["results"][0]["item"]
    }
    assert len(second.body["bill"]["items"]) == 1


def test_a_repeated_item_is_told_so_even_after_the_bill_was_closed(visitor, shop, bill):
    """VB-11: an offline phone that delivers again is not frightened by "closed"."""
    item = shop.tills[0].item(bill, TEA)
    tap(visitor, bill, [item])
    close(visitor, bill)
    assert outcomes(tap(visitor, bill, [item])) == ["repeated"]


@pytest.mark.parametrize(
    "case", ["unknown terminal", "revoked terminal", "forged", "wrong key", "lower counter", "reused counter"]
)
def test_a_dishonest_terminal_is_refused_and_recorded(store, visitor, shop, bill, case):
    """VB-07: the bill's items and total stay as they are; the attempt stays in its record."""
    till = shop.tills[0]
    landed = till.item(bill, TEA, counter=7)
    before = tap(visitor, bill, [landed]).body["bill"]
    fake = Till(till.terminal_id)
    revoked = Till()
    revoked.terminal_id = call(
        "POST", "/v1/terminals", shop.admin, {"merchant": shop.merchant, "public_key": revoked.public_key}
    ).body["id"]
    call("DELETE", f"/v1/terminals/{revoked.terminal_id}", shop.admin)
    items = {
        "unknown terminal": (Till("trm_" + "0" * 32).item(bill, TEA), "terminal_refused"),
        "revoked terminal": (revoked.item(bill, TEA), "terminal_refused"),
        "forged": (
            till.item(bill, TEA, counter=8) | {"lines": [{"name": "gold", "quantity": 2, "unit_amount": 150}]},
            "signature_invalid",
        ),
        "wrong key": (fake.item(bill, TEA, counter=9), "signature_invalid"),
        "lower counter": (till.item(bill, TEA, counter=6), "counter_reused"),
        "reused counter": (till.item(bill, [("cake", 1, 400)], counter=7), "counter_reused"),
    }
    item, code = items[case]
    answer = tap(visitor, bill, [item])
    assert (outcomes(answer), refusal(answer)) == (["refused"], code)
    assert answer.body["bill"] == before
    assert recorded(store, bill) == [code]


def test_a_counter_may_leave_gaps_and_belongs_to_one_terminal_and_bill(visitor, shop, bill):
    """VB-07: it rises strictly per terminal and bill."""
    first, second = shop.tills
    items = [first.item(bill, TEA, counter=0), first.item(bill, TEA, counter=1000), second.item(bill, TEA, counter=0)]
    assert outcomes(tap(visitor, bill, items)) == ["added"] * 3


def test_an_item_signed_for_another_bill_is_refused(visitor, alice, shop, bill):
    """VB-06: the signature covers the bill."""
    other = world.opened(alice)
    answer = tap(visitor, bill, [shop.tills[0].item(other, TEA)])
    assert answer.body["results"][0]["problem"]["pointer"] == "/items/0/bill"


def test_an_item_in_another_currency_is_refused(visitor, shop, bill):
    """VB-10: one bill, one currency."""
    answer = tap(visitor, bill, [shop.tills[0].item(bill, TEA, "EUR")])
    assert answer.body["results"][0]["problem"]["pointer"] == "/items/0/currency"


def test_an_item_signed_within_the_period_is_taken_ten_minutes_late(visitor, shop, bill, later):
    """VB-08: an offline phone delivers late; the bill ended by its period."""
    item, other = shop.tills[0].item(bill, TEA), shop.tills[0].item(bill, TEA)
    later(minutes=5, seconds=5)
    world.STEPS["end_bills"].handler(sqs_event([bill]), None)
    assert world.shown(visitor, bill)["state"] == "expired_empty"
    late = tap(visitor, bill, [item])
    assert outcomes(late) == ["added"]
    assert late.body["bill"]["state"] == "verifying"
    later(minutes=10)
    assert refusal(tap(visitor, bill, [other])) == "bill_closed"


def test_a_late_tap_makes_a_new_list_to_verify(alice, shop, later):
    """VB-08, VB-14: what was shown before is verified no more."""
    bill = world.opened(alice, period_seconds=300)
    tap(alice, bill, [shop.tills[0].item(bill, TEA)])
    late = shop.tills[0].item(bill, TEA)
    later(minutes=6)
    world.STEPS["end_bills"].handler(sqs_event([bill]), None)
    old = world.shown(alice, bill)["verification"]["list_hash"]
    tap(alice, bill, [late])
    assert world.verify(alice, bill, old).code == "list_changed"


def test_an_item_signed_after_the_period_is_refused(visitor, shop, bill, later):
    """VB-05: server time rules, and says so: "This bill has closed. Start a new one." """
    later(minutes=5, seconds=1)
    answer = tap(visitor, bill, [shop.tills[0].item(bill, TEA)])
    assert refusal(answer) == "bill_closed"
    assert answer.body["results"][0]["problem"]["detail"] == "This bill has closed. Start a new one."


def test_once_the_user_closed_nothing_is_added_any_more(visitor, shop, bill):
    """VB-05, VB-08: closing begins the verification."""
    item = shop.tills[0].item(bill, TEA)
    tap(visitor, bill, [shop.tills[1].item(bill, TEA)])
    close(visitor, bill)
    answer = tap(visitor, bill, [item])
    assert refusal(answer) == "bill_closed"
    assert len(answer.body["bill"]["items"]) == 1


@pytest.mark.parametrize(
    "signed_at", ["2020-01-01T00:00:00Z", "2099-01-01T00:00:00Z", "yesterday", "2026-11-23T18:00:00"]
)
def test_an_instant_of_signing_that_cannot_be_is_refused(visitor, shop, bill, signed_at):
    """VB-06: before the bill was opened, in the future, or no instant at all."""
    answer = tap(visitor, bill, [shop.tills[0].item(bill, TEA, signed_at=signed_at)])
    assert outcomes(answer) == ["refused"]


def test_an_item_over_the_cap_is_refused_with_a_clear_message(visitor, shop):
    """VB-19: what still fits is taken."""
    bill = world.opened(visitor, cap={"amount": 500, "currency": "USD"})
    till = shop.tills[0]
    answer = tap(visitor, bill, [till.item(bill, TEA), till.item(bill, TEA), till.item(bill, [("bun", 1, 200)])])
    assert outcomes(answer) == ["added", "refused", "added"]
    assert answer.body["results"][1]["problem"]["detail"] == "This would take the bill over your cap."
    assert answer.body["bill"]["total"]["amount"] == 500


def test_a_repeat_gets_the_first_answer_and_lands_nothing_twice(visitor, shop, bill):
    """LG-10, VB-11: the change itself is the record."""
    key, items = str(uuid.uuid4()), [shop.tills[0].item(bill, TEA), {"bad": 1}]
    first = tap(visitor, bill, items, key=key)
    close(visitor, bill)
    again = tap(visitor, bill, items, key=key)
    assert (again.status, again.body) == (first.status, first.body)
    assert len(world.shown(visitor, bill)["items"]) == 1


def test_what_is_refused_cannot_make_a_bill_grow_without_end(store, visitor, shop, bill):
    """G40: forged batches are recorded (VB-07) up to a bound; then nothing is read or kept, and the first answers stay."""
    till, key = shop.tills[0], str(uuid.uuid4())
    forged = [till.item(bill, TEA) | {"signature": "A" * 86 + "=="} for _ in range(50)]
    first = tap(visitor, bill, forged, key=key)
    assert {refusal(first, index) for index in range(50)} == {"signature_invalid"}
    answers = [tap(visitor, bill, forged) for _ in range(23)]
    assert [answer.status for answer in answers] == [200] * 19 + [409] * 4
    assert answers[-1].code == "bill_full"
    assert len(recorded(store, bill)) == 1_000
    assert tap(visitor, bill, forged, key=key).body == first.body
    assert close(visitor, bill).status == 200
