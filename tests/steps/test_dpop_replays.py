"""Proofs sent again under other keys by who has seen one, and the token with it: nothing happens that the owner did not do."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
import urllib3

from billfold.cards import card_rows
from billfold.cards.card_changes import Answered
from infra.plan import steps
from tests import world
from tests.proof.racing import codes, race, stubborn
from tests.world import PIN, Person, Response, Seller
from tests.world.card_world import CardWorld, number, submission


@dataclass
class Case:
    """A call that takes a proof, and its body for the nth time: the thief may say what he likes. `effects` counts what happened."""

    path: str
    body: Callable[[int], Any]
    effects: Callable[[], int]


def bindings(person: Person, shop: Seller, cards: CardWorld) -> Case:
    def effects() -> int:
        return len(world.call("GET", "/v1/cards", person).body["items"])

    return Case("/v1/cards", lambda n: submission(number("approved", n)), effects)


def taps(person: Person, shop: Seller, cards: CardWorld) -> Case:
    bill = world.opened(person)
    items = [shop.tills[0].item(bill, [("tea", 1, 150)])]
    return Case(f"/v1/bills/{bill}/items", lambda n: {"items": items}, lambda: len(world.shown(person, bill)["items"]))


def closings(person: Person, shop: Seller, cards: CardWorld) -> Case:
    case = taps(person, shop, cards)
    bill = case.path.split("/")[3]
    world.call("POST", case.path, person, case.body(0), phone=person.phone)
    return Case(
        f"/v1/bills/{bill}/close", lambda n: None, lambda: int(world.shown(person, bill)["state"] == "verifying")
    )


def verifications(person: Person, shop: Seller, cards: CardWorld) -> Case:
    bill, before = world.to_verify(person, (shop.tills[0], 300)), world.wallet(person)
    body = {"list_hash": bill["verification"]["list_hash"], "pin": PIN}
    return Case(f"/v1/bills/{bill['id']}/verification", lambda n: body, lambda: (before - world.wallet(person)) // 300)


def pages(person: Person, shop: Seller, cards: CardWorld) -> Case:
    """Confirmed at the bank already, so that the first of these calls hears of it. A thief sees the page, which is the bank's."""
    card = cards.challenged("paged", person=person)[1]
    path = f"/v1/cards/{card}/challenge/page"
    page = world.call("POST", path, person, phone=person.phone).body["challenge"]["page"]["url"]
    assert urllib3.request("POST", page, json={"confirm": True}).status == 200

    def effects() -> int:
        return sum(isinstance(change, Answered) and change.by == "page" for change in card_rows.load(card).changes)

    return Case(path, lambda n: None, effects)


CASES = {
    "open_bank_page": pages,
    "bind_card": bindings,
    "add_items": taps,
    "close_bill": closings,
    "verify_bill": verifications,
}


def sent(case: Case, person: Person, proof: str, n: int, key: str = "") -> Response:
    return world.call("POST", case.path, person, case.body(n), key=key or str(uuid.uuid4()), headers={"DPoP": proof})


def proof_for(case: Case, person: Person) -> str:
    return person.phone.dpop("POST", f"https://api.example{case.path}")


def test_every_step_that_takes_a_proof_is_tried_here():
    """A new one must say what its proof is worth to a thief."""
    assert {step.name for step in steps.known() if step.verifies_dpop} == set(CASES)


@pytest.mark.parametrize("name", CASES)
def test_a_proof_sent_again_under_another_key_does_nothing_more(alice, shop, cards, name):
    """VB-02: five times, as its owner and then as who has seen it; a fresh proof of the owner's is worth as much as ever."""
    case = CASES[name](alice, shop, cards)
    proof = proof_for(case, alice)
    assert sent(case, alice, proof, 0).status < 300
    assert case.effects() == 1
    for n in range(1, 5):
        sent(case, alice, proof, n)
        assert case.effects() == 1


def test_a_proof_binds_one_card_and_the_next_card_needs_another(alice, shop, cards):
    """CB-01, VB-02: whatever key, card and person come with it; the same key gets the first answer."""
    case, key = bindings(alice, shop, cards), str(uuid.uuid4())
    proof = proof_for(case, alice)
    first = sent(case, alice, proof, 0, key)
    again = sent(case, alice, proof, 1)
    assert (again.status, again.code, again.body["pointer"]) == (403, "proof_invalid", "/jti")
    assert again.body["next"] == "sign_a_new_proof"
    assert sent(case, alice, proof, 0).code == "proof_invalid", "also what would change nothing but an expiry"
    assert sent(case, alice, proof, 0, key).body == first.body
    assert sent(case, alice, proof_for(case, alice), 1).status == 201


def test_a_proof_whose_call_was_refused_can_be_used_again(alice, shop, cards):
    """Only an effect uses a proof up: a client need not sign anew for a retry."""
    case = bindings(alice, shop, cards)
    proof = proof_for(case, alice)
    body = submission(number("approved")) | {"expiry": {"year": 2020, "month": 1}}
    refused = world.call("POST", case.path, alice, body, headers={"DPoP": proof})
    assert refused.code == "card_invalid"
    assert sent(case, alice, proof, 0).status == 201


def test_eight_cards_at_once_with_one_proof_are_one(alice, shop, cards):
    """VB-02: the write itself says that the proof is unused."""
    case = bindings(alice, shop, cards)
    proof = proof_for(case, alice)
    answers = race([stubborn(lambda key, n=n: sent(case, alice, proof, n, key)) for n in range(8)])
    assert codes(answers) == {"201": 1, "proof_invalid": 7}
    assert case.effects() == 1


def test_another_phones_proof_of_the_same_name_is_another(alice, shop, cards):
    """A proof's id is unique to its key: nobody uses up the proofs of others."""
    case = bindings(alice, shop, cards)
    tablet = world.joined(Person(alice.sub), pin=None)
    for n, person in enumerate((alice, tablet)):
        proof = person.phone.dpop("POST", f"https://api.example{case.path}", jti="one")
        assert sent(case, person, proof, n).status == 201
    assert case.effects() == 2
