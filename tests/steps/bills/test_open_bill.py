"""Opening a virtual bill for a phone."""

import json
import os
import subprocess
import sys
import uuid

import pytest

from billfold.clock import from_text
from tests import world
from tests.world import Person, call


def body(person: Person, **fields):
    return {"device": person.phone.device_id, "currency": "USD"} | fields


def test_a_user_opens_an_empty_active_bill_for_a_phone(visitor):
    """VB-01, VB-02: the bill belongs to the caller and to the phone that was named."""
    answer = call("POST", "/v1/bills", visitor, body(visitor))
    assert answer.status == 201
    assert answer.body["state"] == "active"
    assert answer.body["device"] == visitor.phone.device_id
    assert (answer.body["items"], answer.body["total"]) == ([], {"amount": 0, "currency": "USD"})
    assert world.shown(visitor, answer.body["id"]) == answer.body


def test_somebody_without_a_registered_phone_is_refused(store):
    """VB-01: a valid sign-in alone is no user."""
    stranger = Person()
    assert call("POST", "/v1/bills", stranger, body(stranger)).code == "user_unknown"


def test_a_suspended_user_is_refused(visitor):
    """VB-01: operations can stop a user."""
    world.suspend(visitor)
    answer = call("POST", "/v1/bills", visitor, body(visitor))
    assert (answer.status, answer.code) == (403, "user_suspended")


def test_anothers_phone_is_answered_like_an_unknown_one(visitor, alice):
    """XX-05: nobody learns which phones exist."""
    anothers = call("POST", "/v1/bills", visitor, body(alice))
    unknown = call("POST", "/v1/bills", visitor, body(visitor, device="dev_" + "0" * 43))
    assert anothers.status == unknown.status == 404
    assert anothers.body | {"instance": ""} == unknown.body | {"instance": ""}


@pytest.mark.parametrize(
    ("asked", "seconds"), [({}, 4 * 3600), ({"period_seconds": 5}, 5), ({"period_seconds": 86400}, 86400)]
)
def test_the_period_is_fixed_at_opening(visitor, asked, seconds):
    """VB-03: four hours unless said, at most a day, from five seconds in the sandbox."""
    bill = call("POST", "/v1/bills", visitor, body(visitor, **asked)).body
    assert from_text(bill["expires_at"]) - from_text(bill["opened_at"]) == seconds * 1000


@pytest.mark.parametrize("seconds", [4, 0, 86401])
def test_a_period_out_of_bounds_is_refused_with_a_pointer(visitor, seconds):
    """VB-03: the bounds hold."""
    answer = call("POST", "/v1/bills", visitor, body(visitor, period_seconds=seconds))
    assert (answer.status, answer.body["pointer"]) == (400, "/period_seconds")


def test_outside_the_sandbox_a_period_lasts_five_minutes_at_least(visitor):
    """VB-03: short periods are for the sandbox only."""
    program = (
        "import sys; from tests.world import Person, call\n"
        "for seconds in (299, 300):\n"
        "    fields = {'device': sys.argv[2], 'currency': 'USD', 'period_seconds': seconds}\n"
        "    print(call('POST', '/v1/bills', Person(sys.argv[1]), fields).status, file=sys.stderr)\n"
    )
    arguments = [sys.executable, "-c", program, visitor.sub, visitor.phone.device_id]
    stage = {"BILLFOLD_SANDBOX": "0", "BILLFOLD_PIN_COST": "19456 2"}
    environment = os.environ | stage | {"PYTHONPATH": os.pathsep.join(sys.path)}
    run = subprocess.run(arguments, env=environment, capture_output=True, text=True, check=True)
    assert run.stderr.split() == ["400", "201"]


def test_a_second_request_on_the_phone_returns_the_open_bill(visitor):
    """VB-04: at most one active bill per device."""
    first = call("POST", "/v1/bills", visitor, body(visitor))
    second = call("POST", "/v1/bills", visitor, body(visitor, currency="EUR"))
    assert (second.status, second.body) == (200, first.body)


def test_each_phone_of_a_user_has_a_bill_of_its_own(visitor):
    """VB-04: the limit is per device."""
    tablet = world.joined(Person(visitor.sub), pin=None)
    assert world.opened(visitor) != world.opened(tablet)


def test_a_new_bill_opens_once_the_old_one_was_closed(visitor):
    """VB-04: a closed bill frees its device."""
    first = world.opened(visitor)
    world.close(visitor, first)
    assert world.opened(visitor) != first


def test_a_new_bill_opens_once_the_period_is_over_even_before_the_sweep(visitor, later):
    """VB-04, XX-04: the deadline counts, not the job that tidies up."""
    first = world.opened(visitor, period_seconds=300)
    later(seconds=301)
    assert world.opened(visitor) != first


def test_a_cap_is_shown_on_the_bill(visitor):
    """VB-19: the cap is part of the bill."""
    bill = call("POST", "/v1/bills", visitor, body(visitor, cap={"amount": 2500, "currency": "USD"})).body
    assert bill["cap"] == {"amount": 2500, "currency": "USD"}


def test_a_cap_in_another_currency_is_refused(visitor):
    """VB-10, VB-19: one bill, one currency."""
    answer = call("POST", "/v1/bills", visitor, body(visitor, cap={"amount": 2500, "currency": "EUR"}))
    assert (answer.status, answer.body["pointer"]) == (400, "/cap/currency")


@pytest.mark.parametrize("currency", ["XXX", "ABC"])
def test_a_currency_that_iso_4217_does_not_list_as_money_is_refused(visitor, currency):
    """LG-02: the table of currencies decides."""
    answer = call("POST", "/v1/bills", visitor, body(visitor, currency=currency))
    assert (answer.status, answer.body["pointer"]) == (400, "/currency")


def test_a_repeat_gets_the_first_answer_even_when_the_bill_is_closed(visitor):
    """LG-10: the record answers, not the present."""
    key = str(uuid.uuid4())
    first = call("POST", "/v1/bills", visitor, body(visitor), key=key)
    world.close(visitor, first.body["id"])
    again = call("POST", "/v1/bills", visitor, body(visitor), key=key)
    assert (again.status, again.body) == (201, first.body)


def test_a_repeat_shows_the_open_bill_as_it_was_then(visitor, shop):
    """LG-10: whatever was tapped and closed since; the record names the bill and does not copy its lines."""
    bill, key = world.opened(visitor), str(uuid.uuid4())
    world.tap(visitor, bill, [shop.tills[0].item(bill, [("tea", 1, 150)])])
    first = call("POST", "/v1/bills", visitor, body(visitor), key=key)
    assert (first.status, len(first.body["items"])) == (200, 1)
    world.tap(visitor, bill, [shop.tills[0].item(bill, [("cake", 1, 400)])])
    world.close(visitor, bill)
    again = call("POST", "/v1/bills", visitor, body(visitor), key=key)
    assert (again.status, again.body) == (200, first.body)


def test_a_bill_larger_than_a_row_is_still_found_open(visitor, shop):
    """VB-04: 200 items of 20 long lines are more than the 400 KB that one row may hold."""
    bill = world.opened(visitor)
    lines = [("x" * 80, 1, 1)] * 20
    for _ in range(10):
        items = [shop.tills[0].item(bill, lines) for _ in range(20)]
        assert {result["outcome"] for result in world.tap(visitor, bill, items).body["results"]} == {"added"}
    answer = call("POST", "/v1/bills", visitor, body(visitor))
    assert (answer.status, len(answer.body["items"])) == (200, 200)
    assert len(json.dumps(answer.body)) > 400 * 1024
