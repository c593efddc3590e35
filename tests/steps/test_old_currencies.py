"""Currencies that are given up while money of them is there: nothing new begins in them, and everything goes on."""

import pytest

from billfold.currencies import MINOR_DIGITS
from tests import world
from tests.proof.racing import bill_opened
from tests.world import PIN, Person, Response, Seller, call

MINUTE = 60_000


@pytest.fixture(scope="module")
def bob(store) -> Person:
    """Someone who has never held money."""
    return world.joined()


def send(payer: Person, payee: Person, code: str, amount: int) -> Response:
    body = {"to": payee.user_id, "amount": {"amount": amount, "currency": code}, "reason": "old money", "pin": PIN}
    return call("POST", "/v1/transfers", payer, body)


@pytest.mark.parametrize("code", sorted(MINOR_DIGITS))
def test_money_of_a_currency_that_is_given_up_is_read_sent_paid_and_refunded(monkeypatch, code, bob, shop):
    """LG-02: each currency in turn, by ISO 4217 or by the stage, with a bill that was begun before; a new bill is refused."""
    alice = world.joined()
    world.fund(alice, 1_000, code)
    bill = bill_opened(alice, ago=MINUTE, ends_in=10 * MINUTE, currency=code).bill_id
    before, later = ([till.item(bill, [("tea", 1, 40)], code)] for till in shop.tills)
    world.tap(alice, bill, before)

    monkeypatch.setenv("BILLFOLD_CLOSED_CURRENCIES", f"ABC {code}")
    refused = call("POST", "/v1/bills", bob, {"device": bob.phone.device_id, "currency": code})
    assert (refused.status, refused.code, refused.body["pointer"]) == (400, "invalid", "/currency")
    assert world.tap(alice, bill, later).body["results"][0]["outcome"] == "added"
    closed = world.close(alice, bill).body
    paid = world.verify(alice, bill, closed["verification"]["list_hash"])
    assert (paid.status, paid.body["state"]) == (200, "settled")
    assert world.refund(shop.admin, bill, [paid.body["items"][0]["id"]]).status == 201
    sent = send(alice, bob, code, 15)
    assert (sent.status, sent.body["amount"]) == (201, {"amount": 15, "currency": code})
    assert call("GET", f"/v1/transfers/{sent.body['id']}", bob).body["amount"]["currency"] == code
    assert send(bob, alice, code, 5).status == 201
    assert (world.wallet(alice, code), world.wallet(bob, code), world.sales(shop, code)) == (950, 10, 40)
    _shown(code, alice, shop)


def _shown(code: str, person: Person, shop: Seller) -> None:
    wallets = call("GET", "/v1/wallets", person).body["items"]
    assert code in {wallet["currency"] for wallet in wallets}
    assert call("GET", f"/v1/wallets/{code}/entries", person).status == 200
    assert call("GET", f"/v1/merchants/{shop.merchant}/entries", shop.admin, query={"currency": code}).status == 200
    assert call("GET", f"/v1/merchants/{shop.merchant}", shop.admin, query={"currency": code}).status == 200


@pytest.mark.parametrize("code", ["XAU", "XXX", "ZZZ", "DEM"])
def test_what_never_was_a_currency_here_is_refused_everywhere(code, alice, bob):
    """LG-02: metals, inventions, and what ISO 4217 gave up before its first edition here."""
    for answer in (
        send(alice, bob, code, 1),
        call("GET", f"/v1/wallets/{code}/entries", alice),
        call("POST", "/v1/bills", alice, {"device": alice.phone.device_id, "currency": code}),
    ):
        assert (answer.status, answer.code) == (400, "invalid")


@pytest.mark.parametrize("code", ["USD", "KWD"])
def test_a_top_up_brings_no_new_money_of_a_currency_that_is_given_up(monkeypatch, cards, code):
    """CB-21, LG-10: but one that was begun before is told again, and settles."""
    person, card = cards.active()
    begun = cards.top_up(person, card, key="one", currency=code)
    assert begun.status == 202
    monkeypatch.setenv("BILLFOLD_CLOSED_CURRENCIES", code)
    refused = cards.top_up(person, card, key="two", currency=code)
    assert (refused.status, refused.code, refused.body["pointer"]) == (400, "invalid", "/amount/currency")
    assert cards.top_up(person, card, key="one", currency=code).body == begun.body
    cards.settle()
    assert world.wallet(person, code) == begun.body["amount"]["amount"]
