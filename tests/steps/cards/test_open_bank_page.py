"""Confirming with the bank on its own page."""

import json

import pytest
import urllib3

from billfold.cards import card_rows
from tests import world
from tests.world import call
from tests.world.card_world import TOKEN


def page(person, card, phone=None, **options):
    return call("POST", f"/v1/cards/{card}/challenge/page", person, phone=phone or person.phone, **options)


def confirm(shown, *, yes=True):
    """What the owner does on the bank's page, at the address that her phone was given."""
    return urllib3.request("POST", shown["challenge"]["page"]["url"], json={"confirm": yes})


def test_the_owner_confirms_on_the_bank_s_page_and_the_card_is_linked(cards):
    """CB-06, CB-09: the page is asked for, confirmed, and the callback lets the machine go on."""
    person = world.joined()
    card = cards.bound("paged", person)[1]
    cards.settle()
    seen = cards.seen(person, card)
    assert (seen["state"], seen["text"]) == ("challenged", "Confirm with your bank to link the card.")
    assert seen["challenge"] == {"kind": "redirect", "expires_at": seen["challenge"]["expires_at"]}
    assert confirm(page(person, card).body).status == 200
    cards.settle()
    assert cards.seen(person, card)["state"] == "active"
    told = [one["type"] for one in call("GET", "/v1/events", person).body["items"]]
    assert "card.confirmation_requested" in told
    assert "card.code_requested" not in told


@pytest.mark.parametrize(("yes", "state"), [(True, "active"), (False, "declined")])
def test_asking_for_the_page_again_hears_what_became_of_it(cards, yes, state):
    """CB-13: also where no callback comes; then it is no page any more, and asking on changes nothing."""
    person, card = cards.challenged("paged")
    confirm(page(person, card).body, yes=yes)
    for _ in range(2):
        answer = page(person, card)
        assert (answer.status, answer.body["state"], "challenge" in answer.body) == (200, "authenticating", False)
    assert cards.work("ask_bank", card) == ("approved" if yes else "declined")
    assert cards.work("activate_card" if yes else "end_card", card) == state


def test_the_page_is_given_to_the_phone_that_bound_the_card_alone(cards, alice):
    """CB-12, CB-18: another phone of hers, no proof, and another person are refused; GET and lists never have it."""
    person, card = cards.challenged("paged")
    shown = page(person, card).body["challenge"]["page"]
    other = world.joined(world.Person(person.sub), pin=None)
    assert page(person, card, phone=other.phone).code == "device_mismatch"
    assert call("POST", f"/v1/cards/{card}/challenge/page", person).code == "proof_missing"
    assert page(alice, card).status == 404
    seen = json.dumps([cards.seen(person, card), call("GET", "/v1/cards", person).body])
    assert shown["client_secret"] not in seen


def test_what_opens_the_page_is_kept_nowhere(cards, store, capfd):
    """CB-18: in no row, event, message, log line or execution of the state machine."""
    person = world.joined()
    card = cards.bound("paged", person)[1]
    cards.settle()
    secret = page(person, card).body["challenge"]["page"]["client_secret"]
    cards.settle(twice=True)
    executions = repr([vars(one) for one in cards.machines.executions.values()])
    kept = [json.dumps(row) for name in store.marks for row in store.rows(name)]
    assert secret
    assert kept
    for sink in (executions, "".join(capfd.readouterr()), *kept):
        assert secret not in sink
        assert secret[-32:] not in sink


def test_no_code_is_taken_where_a_page_waits(cards):
    """CB-09: nothing is tried, nothing counted, nothing sent again."""
    person, card = cards.challenged("paged")
    asked = len(cards.bank.calls)
    for answer in (cards.answer(person, card), cards.resend(person, card)):
        assert (answer.status, answer.code) == (409, "no_code_awaited")
    assert len(cards.bank.calls) == asked
    assert card_rows.load(card).present.challenge.tries == 0


def test_a_challenge_by_code_and_a_card_that_is_linked_have_no_page(cards):
    """CB-09: the answer is the card as it is, and no bank is asked."""
    for person, card in (cards.challenged(), cards.active()):
        asked = len(cards.bank.calls)
        answer = page(person, card)
        assert (answer.status, answer.body) == (200, cards.seen(person, card))
        assert len(cards.bank.calls) == asked


def test_a_page_that_nobody_confirmed_expires_and_a_late_word_is_withdrawn(cards, later):
    """CB-13, CB-14: ten minutes; the bank is asked a last time, and what it approves after the end is taken back."""
    person, card = cards.challenged("paged")
    shown = page(person, card).body
    later(minutes=11)
    assert cards.work("ask_bank", card) == "unknown"
    later(minutes=2)
    assert cards.work("ask_bank", card) == "expired"
    assert cards.work("end_card", card) == "expired"
    assert (
        cards.seen(person, card)["text"]
        == "You did not confirm with your bank in time. You were not charged. Try again."
    )
    assert confirm(shown).status == 200
    cards.settle()
    assert card_rows.load(card).present.withdrawn
    assert cards.bind(person, "4000001300000015").status == 201, "no cool-down"


def test_what_was_confirmed_in_the_last_moment_is_found_by_the_last_ask(cards, later):
    """CB-13: though the callback was lost."""
    person, card = cards.challenged("paged")
    confirm(page(person, card).body)
    later(minutes=11)
    assert cards.work("ask_bank", card) == "approved"


def test_a_silent_bank_is_told_as_such(cards, monkeypatch):
    """CB-13: 503, and nothing changes."""
    person, card = cards.challenged("paged")
    monkeypatch.setenv("BILLFOLD_SANDBOX_BANK_ADDRESS", "http://127.0.0.1:9")
    assert page(person, card).status == 503
    assert cards.seen(person, card)["state"] == "challenged"


def test_a_page_s_address_is_good_for_its_own_authentication(cards):
    """XX-05: another's, a changed one and one for a card with a code are unknown to the bank."""
    person, card = cards.challenged("paged")
    url = page(person, card).body["challenge"]["page"]["url"]
    for wrong in (url[:-1] + ("0" if url[-1] != "0" else "1"), url.partition("?")[0], url.partition("=")[0] + "="):
        assert urllib3.request("POST", wrong, json={"confirm": True}).status == 404
    assert cards.work("send_challenge", card, token=TOKEN) == "waiting"
    assert card_rows.load(card).present.verdict == "challenge"
