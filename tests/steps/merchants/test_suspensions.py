"""Suspended merchants and users, and `python -m infra merchants|users suspend|resume`."""

import os
import subprocess
import sys
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest

from billfold.errors import Stale
from billfold.merchants import Merchant, Terminal, merchant_rows
from billfold.tables.commits import Commit
from infra.clients.phones import Till
from infra.operations import suspensions
from infra.plan.stages import ROOT
from tests import world
from tests.cloud.delivery import sqs_event
from tests.world import call, tap

TEA = [("tea", 1, 150)]


@pytest.fixture
def stall(store):
    """A merchant of this test's own."""
    return world.seller("Stall")


def tapped(person, bill, *items):
    """What became of each item: its outcome, or the refusal's code."""
    results = tap(person, bill, list(items)).body["results"]
    return [result.get("problem", {}).get("code") or result["outcome"] for result in results]


def test_a_suspended_merchants_terminals_add_nothing_until_it_is_resumed(visitor, shop, stall):
    """VB-06, VB-07: all of them, from the next request on; others in the batch land, and what landed before is `repeated`."""
    bill = world.opened(visitor)
    first, second = (till.item(bill, TEA) for till in stall.tills)
    assert tapped(visitor, bill, first) == ["added"]
    assert suspensions.decide("suspend", stall.merchant)
    others = shop.tills[0].item(bill, TEA)
    expected = ["repeated", "merchant_suspended", "added", "merchant_suspended"]
    assert tapped(visitor, bill, first, second, others, stall.tills[0].item(bill, TEA)) == expected
    assert suspensions.decide("resume", stall.merchant)
    assert tapped(visitor, bill, second) == ["added"]


def test_a_tap_signed_before_the_suspension_is_too_late_after_it(visitor, stall, later):
    """VB-08: also one that comes late; who signed it, and when, does not matter any more."""
    bill = world.opened(visitor, period_seconds=300)
    late = stall.tills[0].item(bill, TEA)
    suspensions.decide("suspend", stall.merchant)
    later(minutes=5, seconds=5)
    world.STEPS["end_bills"].handler(sqs_event([bill]), None)
    assert tapped(visitor, bill, late) == ["merchant_suspended"]
    assert world.shown(visitor, bill)["state"] == "expired_empty"


def test_a_forged_item_is_a_forged_one_and_recorded_also_under_a_suspension(visitor, stall):
    """VB-07: whether the merchant is suspended is told to who holds its signature only."""
    bill = world.opened(visitor)
    suspensions.decide("suspend", stall.merchant)
    forged = stall.tills[0].item(bill, TEA) | {"lines": [{"name": "gold", "quantity": 1, "unit_amount": 150}]}
    assert tapped(visitor, bill, forged) == ["signature_invalid"]


def test_what_was_tapped_before_is_paid_contested_and_given_back(alice, stall):
    """VB-12, VB-17, VB-20: the user owes it, and giving back protects; money stays in the books here."""
    bill = world.opened(alice)
    tap(alice, bill, [till.item(bill, TEA) for till in stall.tills])
    suspensions.decide("suspend", stall.merchant)
    items = world.close(alice, bill).body["items"]
    listed = call("POST", f"/v1/bills/{bill}/items/{items[0]['id']}/dispute", alice).body["verification"]
    assert world.verify(alice, bill, listed["list_hash"]).status == 200
    assert world.sales(stall) == 150
    assert world.refund(stall.admin, bill, [items[1]["id"]]).status == 201
    assert world.sales(stall) == 0


def test_a_suspended_merchant_registers_no_terminal(stall):
    """VB-06: readably by the rule; it can still revoke one, which protects."""
    suspensions.decide("suspend", stall.merchant)
    body = {"merchant": stall.merchant, "public_key": Till().public_key}
    answer = call("POST", "/v1/terminals", stall.admin, body)
    assert (answer.status, answer.code) == (403, "merchant_suspended")
    assert call("DELETE", f"/v1/terminals/{stall.tills[0].terminal_id}", stall.admin).status == 204


def test_the_write_itself_refuses_a_terminal_of_a_suspended_merchant(stall):
    """XX-04: a suspension between reading and writing wins."""
    suspensions.decide("suspend", stall.merchant)
    commit = Commit(uuid.uuid4().hex)
    merchant_rows.add_terminal(commit, Terminal("trm_late", stall.merchant, "late", Till().public_key), 1)
    with pytest.raises(Stale):
        commit.send()


def test_of_many_suspensions_at_once_one_is_made_and_the_first_instant_stays(stall, store):
    """One effect, whoever repeats it; taking it back likewise; nobody is suspended who is not there."""
    for verb in ("suspend", "resume"):
        with ThreadPoolExecutor(8) as pool:
            made = list(pool.map(suspensions.decide, [verb] * 8, [stall.merchant] * 8))
        assert sorted(made) == [False] * 7 + [True]
    for name in ("mer_" + "0" * 32, "usr_" + "0" * 32, "bil_" + "0" * 32):
        with pytest.raises(suspensions.NobodyThere):
            suspensions.decide("suspend", name)
    stale = Commit(uuid.uuid4().hex)
    merchant_rows.add_suspension(stale, Merchant(stall.merchant, "", "", suspended=True), 1, suspended=False)
    with pytest.raises(Stale):
        stale.send()


@pytest.mark.parametrize("noun", ["merchants", "users"])
def test_operations_decide_by_their_command(stall, store, visitor, noun):
    """XX-07: `suspend` and `resume` by id, each said once more is said to be so already."""
    whom = stall.merchant if noun == "merchants" else stall.admin.user_id

    def said(verb: str, one: str) -> str:
        command = [sys.executable, "-m", "infra", noun, verb, one, "--endpoint", store.url]
        return subprocess.run(command, cwd=ROOT, env=dict(os.environ), capture_output=True, text=True).stdout.strip()

    assert said("suspend", whom) == f"{whom} is suspended."
    body = {"merchant": stall.merchant, "public_key": Till().public_key}
    assert call("POST", "/v1/terminals", stall.admin, body).code == f"{noun[:-1]}_suspended"
    assert said("suspend", whom) == f"{whom} is suspended already."
    assert said("resume", whom) == f"{whom} is active."
    assert call("POST", "/v1/terminals", stall.admin, body).status == 201
    assert said("suspend", "trm_" + "0" * 32).startswith("NobodyThere: trm_")
