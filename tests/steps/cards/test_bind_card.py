"""Binding a card."""

import json

import pytest

from billfold.cards import card_rows
from infra.clients.phones import Phone
from sandbox_bank import behaviours
from tests import world
from tests.world import Person, call, vault_keys
from tests.world.card_world import PERSON, number


def test_a_card_begins_created_and_its_number_comes_out_nowhere(cards, visitor):
    """CB-01, CB-18: brand and last digits are what is shown; no bank was asked."""
    card = number("approved")
    answer = cards.bind(visitor, card)
    assert (answer.status, answer.body["state"]) == (201, "created")
    assert (answer.body["brand"], answer.body["last4"]) == ("Visa", card[-4:])
    assert answer.body["expiry"] == {"year": 2031, "month": 7}
    assert card not in json.dumps(answer.body)
    assert "fields_sent" not in answer.body
    assert cards.bank.calls == []


def test_spaces_and_dashes_in_a_number_do_not_count(cards, visitor):
    """CB-16: the same card, however it is typed."""
    card = number("approved")
    first = cards.bind(visitor, card).body["id"]
    again = cards.bind(visitor, f"{card[:4]} {card[4:8]}-{card[8:]}")
    assert (again.status, again.body["id"]) == (200, first)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"number": "4000001000000001"}, "card_invalid"),
        ({"number": "400000100000"}, "card_invalid"),
        ({"number": "9999999999999995"}, "card_invalid"),
        ({"expiry": {"year": 2020, "month": 1}}, "card_invalid"),
        ({"expiry": {"year": 2099, "month": 1}}, "card_invalid"),
        ({"number": behaviours.number(behaviours.NOBODYS_DIGITS)}, "unsupported_issuer"),
    ],
)
def test_what_is_no_good_card_is_refused_before_anybody_is_asked(store, cards, visitor, body, code):
    """CB-04, CB-08: 422, nothing is stored and no bank is called."""
    before = store.rows("cards")
    answer = cards.bind(visitor, number("approved"), body=body)
    assert (answer.status, answer.code) == (422, code)
    assert cards.bank.calls == []
    assert store.rows("cards") == before
    assert body.get("number", number("approved")) not in json.dumps(answer.body)


def test_consent_and_the_fingerprint_are_recorded(cards, visitor):
    """CB-20: which version of the terms was agreed to, and when."""
    card = card_rows.load(cards.bind(visitor, number("approved"), body={"consent": "2026-12"}).body["id"]).present
    assert card.consent == "2026-12"
    assert card.bound_at > 0
    assert len(card.fingerprint) == 43


def test_a_typed_phone_number_always_forces_a_challenge(cards, visitor):
    """CB-06: also where the bank would have approved at once."""
    card = cards.bind(visitor, number("approved"), typed_phone=True).body["id"]
    cards.settle()
    assert cards.seen(visitor, card)["state"] == "challenged"


def test_what_the_bank_checks_is_sealed_apart(store, cards, visitor):
    """CB-05, CB-19: neither the number nor the person's details are readable in any row."""
    card = number("approved")
    cards.bind(visitor, card)
    rows = json.dumps([store.rows(table) for table in ("cards", "vault", "people", "operations")], default=str)
    for secret in (card, PERSON["document_number"], PERSON["phone"], PERSON["name"]):
        assert secret not in rows


def test_the_same_card_again_is_the_card_that_is_there(cards):
    """CB-16: an earlier or equal expiry changes nothing, a later one updates it."""
    person, card = cards.active()
    for year, shown in ((2031, 2031), (2029, 2031), (2033, 2033)):
        answer = cards.bind(person, number("approved"), body={"expiry": {"year": year, "month": 7}})
        assert (answer.status, answer.body["id"]) == (200, card)
        assert answer.body["state"] == "active"
        assert cards.seen(person, card)["expiry"]["year"] == shown


def test_a_card_that_is_over_can_be_bound_anew(cards):
    """CB-16: a removed card is nobody's; the new one has an id and an authentication of its own."""
    person, card = cards.active()
    assert cards.remove(person, card).status == 204
    answer = cards.bind(person, number("approved"))
    assert (answer.status, answer.body["state"]) == (201, "created")
    assert answer.body["id"] != card


def test_three_users_may_hold_a_card_and_no_fourth(cards):
    """CB-16: the fourth hears nothing of the others; when one removes it, there is room again."""
    holders = [cards.bound() for _ in range(3)]
    fourth = world.joined()
    answer = cards.bind(fourth, number("approved"))
    assert (answer.status, answer.code) == (409, "card_taken")
    assert cards.remove(*holders[0]).status == 204
    assert cards.bind(fourth, number("approved")).status == 201


def test_asking_who_holds_a_card_is_a_try(cards):
    """CB-17, issue 12 F13: "three others hold it" tells something, so it is counted, recorded, and limited like a binding."""
    for _ in range(3):
        cards.bound()
    asker = world.joined(pin=None)
    taken = [cards.bind(asker, number("approved"), key=f"ask-{turn}") for turn in range(7)]
    assert {answer.code for answer in taken} == {"card_taken"}
    repeat = cards.bind(asker, number("approved"), key="ask-0")
    assert (repeat.status, repeat.code) == (409, "card_taken")
    over_the_limit(cards.bind(asker, number("approved")), 24)
    # Three bindings and seven questions are the card's ten; the asker has three tries of its own left, with other cards.
    assert [cards.bind(asker, number("approved", rest)).status for rest in (2, 3, 4, 5)] == [201, 201, 201, 429]


def test_a_newer_generation_of_keys_gives_no_tries_back(cards):
    """CB-17, CB-19, issue 12 F13: whoever tried a card before the rotation has tried it."""
    vault_keys.make("1", "2")
    for _ in range(2):
        person, card = cards.bound()
        assert cards.remove(person, card).status == 204
    for _ in range(8):
        with vault_keys.listed("1"):
            person, card = cards.bound()
            assert cards.remove(person, card).status == 204
    with vault_keys.listed("2 1"):
        over_the_limit(cards.bind(world.joined(), number("approved")), 24)


def over_the_limit(answer, hours):
    """The refusal of CB-17, with a Retry-After of about so many hours."""
    assert (answer.status, answer.code) == (429, "too_many_cards")
    assert (hours - 1) * 3600 < int(answer.headers["Retry-After"]) <= hours * 3600


def test_a_user_may_try_ten_cards_a_day(cards, visitor, later):
    """CB-17: whatever the phone; a day later there is room again."""
    for rest in range(10):
        assert cards.bind(visitor, number("approved", rest)).status == 201
    over_the_limit(cards.bind(visitor, number("approved", 10)), 24)
    tablet = world.joined(Person(visitor.sub), pin=None)
    over_the_limit(cards.bind(tablet, number("approved", 10)), 24)
    later(hours=24, seconds=5)
    assert cards.bind(visitor, number("approved", 10)).status == 201


def test_a_phone_may_try_ten_cards_a_day_whoever_uses_it(cards):
    """CB-17: several accounts on one phone share its tries."""
    phone = Phone()
    people = [world.joined(Person(phone=phone), pin=None) for _ in range(2)]
    for rest in range(10):
        assert cards.bind(people[rest % 2], number("approved", rest)).status == 201
    over_the_limit(cards.bind(people[0], number("approved", 10)), 24)


def test_a_card_may_be_tried_ten_times_a_day_whoever_tries_it(cards):
    """CB-17: by its fingerprint; giving up in between gives no more."""
    for _ in range(10):
        person, card = cards.bound()
        assert cards.remove(person, card).status == 204
    over_the_limit(cards.bind(world.joined(), number("approved")), 24)


def test_an_address_may_try_sixty_cards_an_hour(cards):
    """CB-17: a whole shop's network shares one address, so it has more; another address is not concerned."""
    for one in range(6):
        person = world.joined(pin=None)
        for rest in range(10):
            answer = cards.bind(person, number("approved", 10 * one + rest), address="198.51.100.1")
            assert answer.status == 201
    person = world.joined(pin=None)
    over_the_limit(cards.bind(person, number("approved", 60), address="198.51.100.1"), 1)
    over_the_limit(cards.bind(person, number("approved", 60), address="::ffff:198.51.100.1"), 1)
    assert cards.bind(person, number("approved", 60), address="198.51.100.2").status == 201


def test_after_five_wrong_codes_the_card_cools_down_for_its_owner(cards, later):
    """CB-09: a day; another card of the same user is not concerned."""
    person, card = cards.challenged()
    for _ in range(5):
        cards.answer(person, card, "999999")
    assert cards.work("end_card", card) == "declined"
    over_the_limit(cards.bind(person, number("challenged")), 24)
    assert cards.bind(person, number("approved")).status == 201
    later(hours=24, seconds=5)
    assert cards.bind(person, number("challenged")).status == 201


def test_a_repeat_is_the_first_answer_though_the_card_moved_on(cards, visitor):
    """LG-10: as it was bound, whatever it is now."""
    first = cards.bind(visitor, number("approved"), key="once")
    cards.settle()
    again = cards.bind(visitor, number("approved"), key="once")
    assert (again.status, again.body) == (first.status, first.body)
    assert cards.seen(visitor, first.body["id"])["state"] == "active"


def test_a_key_used_for_another_number_is_refused(cards, visitor):
    """LG-10: the number is no part of the stored hash, and yet it counts."""
    cards.bind(visitor, number("approved"), key="once")
    answer = cards.bind(visitor, number("approved", 2), key="once")
    assert (answer.status, answer.code) == (422, "idempotency_key_reused")
    assert cards.bind(visitor, number("approved"), key="there").status == 200
    answer = cards.bind(visitor, number("approved", 2), key="there")
    assert (answer.status, answer.code) == (422, "idempotency_key_reused")


@pytest.mark.parametrize("rotated", [False, True])
def test_a_key_under_which_a_card_was_refused_is_for_that_number(cards, visitor, rotated):
    """LG-10, CB-16: a refused card leaves nothing but its record, and another number under its key is another request."""
    vault_keys.make("1", "2")
    for _ in range(3):
        cards.bound()
    refused = cards.bind(visitor, number("approved"), key="taken")
    assert refused.code == "card_taken"
    with vault_keys.listed("2 1" if rotated else "1"):
        for another in (
            cards.bind(visitor, number("approved", 2), key="taken"),
            cards.bind(visitor, number("approved"), typed_phone=True, key="taken"),
        ):
            assert (another.status, another.code) == (422, "idempotency_key_reused")
        again = cards.bind(visitor, number("approved"), key="taken")
    assert again.body | {"instance": ""} == refused.body | {"instance": ""}


def test_a_card_is_bound_from_a_phone_of_ones_own(cards, visitor, alice):
    """CB-01: the phone proves itself, and is registered for the caller."""
    answer = call("POST", "/v1/cards", visitor, {}, phone=None)
    assert answer.status in (400, 401)
    visitor.phone = alice.phone
    assert cards.bind(visitor, number("approved")).code == "device_unknown"


def test_a_suspended_person_binds_nothing(cards, visitor):
    """VB-01, CB-01: from the next request on."""
    world.suspend(visitor)
    assert cards.bind(visitor, number("approved")).code == "user_suspended"
