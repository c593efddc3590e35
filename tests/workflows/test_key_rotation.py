"""Rotating the vault's keys: every card moves to the new generation while people go on binding and paying (CB-16, CB-19)."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from billfold.cards import card_rows
from billfold.cards.card_changes import Resealed
from billfold.tables import rows
from billfold.vault import vault_rows
from tests import world
from tests.cloud import direct
from tests.cloud.delivery import sqs_event
from tests.world import STEPS, Person, card_world, vault_keys
from tests.world.bank_fixtures import card as number_of
from tests.world.card_world import CardWorld

CLEAN: dict[str, Any] = {"batchItemFailures": []}


@pytest.fixture
def cards(store, queues) -> Iterator[CardWorld]:
    with card_world.running(store, queues) as running:
        yield running


@pytest.fixture
def rotate(queues, monkeypatch) -> Callable[[str], None]:
    """The environment names these generations, and of any other no key."""
    vault_keys.make("2")

    def named(generations: str) -> None:
        monkeypatch.setenv("BILLFOLD_VAULT_KEYS", generations)
        for kind in ("VAULT", "FINGERPRINTS"):
            if "1" not in generations:
                monkeypatch.delenv(f"BILLFOLD_KEY_{kind}_1")

    return named


def find_old() -> None:
    STEPS["find_old_seals"].handler({"id": "every day"}, None)


def generations(store) -> dict[str, str]:
    return {row["pk"]["S"]: row["generation"]["S"] for row in store.rows("vault")}


def submitted(cards: CardWorld, person: Person, number: str) -> str:
    answer = cards.bind(person, number)
    assert answer.status == 201, answer
    return str(answer.body["id"])


def resealed(card: str) -> int:
    return sum(isinstance(change, Resealed) for change in card_rows.load(card).changes)


def reseal(card: str) -> None:
    assert STEPS["reseal_card"].handler(sqs_event([card]), None) == CLEAN


@contextmanager
def between(action: str, act: Callable[[], object]) -> Iterator[list[int]]:
    """Have something happen once, right after the first DynamoDB call of this kind."""
    done: list[int] = []

    def once(**_: Any) -> None:
        if not done:
            done.append(1)
            act()

    events = rows.connection().client.meta.events
    events.register_last(f"after-call.dynamodb.{action}", once)
    try:
        with direct.withdrawn():
            yield done
    finally:
        events.unregister(f"after-call.dynamodb.{action}", once)


def test_every_card_moves_to_the_new_keys_and_needs_the_old_ones_no_more(cards: CardWorld, store, rotate):
    """CB-16, CB-19: linked and waiting alike, delivered twice; afterwards the old keys are gone, and everything works."""
    alice, bob = world.joined(), world.joined()
    linked = cards.linked(alice, number_of("approved"))
    waiting = submitted(cards, bob, number_of("challenged"))
    cards.settle()
    new = submitted(cards, bob, number_of("approved", 7))
    rotate("2 1")
    find_old()
    cards.settle(twice=True)
    assert generations(store) == dict.fromkeys((linked, waiting, new), "2")
    assert [resealed(card) for card in (linked, waiting, new)] == [1, 1, 1]
    rotate("2")
    find_old()
    cards.settle()
    assert [resealed(card) for card in (linked, waiting, new)] == [1, 1, 1]
    # The number opens for the bank, the fingerprint finds the holder, and the card pays.
    assert cards.seen(bob, new)["state"] == "active"
    again = cards.bind(alice, number_of("approved"))
    assert (again.status, again.body["id"]) == (200, linked)
    assert cards.answer(bob, waiting).status == 200
    assert cards.top_up(alice, linked, 500).status == 202
    cards.settle()
    assert (cards.seen(bob, waiting)["state"], world.wallet(alice)) == ("active", 500)
    assert set(vault_rows.sealed_under("1")) == set()


def test_while_keys_rotate_a_card_is_the_same_card_and_three_hold_it(cards: CardWorld, store, rotate):
    """CB-16, CB-19: two users from before, then one under the new keys; a fourth is refused, before and after the move."""
    people = [world.joined() for _ in range(5)]
    old = [submitted(cards, person, number_of("approved")) for person in people[:2]]
    rotate("2 1")
    again = cards.bind(people[0], number_of("approved"))
    assert (again.status, again.body["id"]) == (200, old[0])
    submitted(cards, people[2], number_of("approved"))
    assert cards.bind(people[3], number_of("approved")).code == "card_taken"
    find_old()
    cards.settle()
    assert cards.bind(people[4], number_of("approved")).code == "card_taken"
    held = [set(row["cards"]["M"]) for row in store.rows("cards") if row["sk"]["S"] == "holders"]
    assert sorted(held, key=len) == [set(), {person.user_id for person in people[:3]}]


def test_a_card_whose_keys_are_listed_no_more_cannot_be_authenticated(cards: CardWorld, store, rotate):
    """CB-19: fails closed; nothing is sent to a bank, and the card ends without an approval."""
    alice = world.joined()
    card = submitted(cards, alice, number_of("approved"))
    rotate("2")
    cards.settle()
    assert cards.seen(alice, card)["state"] == "expired"
    assert not [row for row in store.rows("sandbox_bank") if row["sk"]["S"] == "authentication"]
    assert store.rows("vault") == []


def test_a_card_that_is_over_is_not_sealed_again(cards: CardWorld, store, rotate):
    """CB-19, CB-20: removed between the finding and the resealing, it stays erased."""
    alice = world.joined()
    card = cards.linked(alice, number_of("approved"))
    rotate("2 1")
    find_old()
    assert cards.remove(alice, card).status == 204
    cards.settle()
    assert (store.rows("vault"), resealed(card)) == ([], 0)


@pytest.mark.parametrize("moment", ["BatchGetItem", "Query"])
@pytest.mark.parametrize("ends", [False, True])
def test_an_activation_or_a_removal_in_the_middle_of_a_reseal_is_not_undone(
    cards: CardWorld, store, rotate, moment, ends
):
    """CB-05, CB-19, CB-20: between any two of its reads; forgotten details stay forgotten, an erased card erased."""
    alice = world.joined()
    card = submitted(cards, alice, number_of("approved"))
    for step in ("check_card", "ask_bank"):
        STEPS[step].handler({"card": card}, None)
    rotate("2 1")
    activate = STEPS["activate_card"].handler
    with between(moment, lambda: cards.remove(alice, card) if ends else activate({"card": card}, None)) as done:
        reseal(card)
    assert done
    assert generations(store) == ({} if ends else {card: "2"})
    assert not any("person" in row for row in store.rows("vault"))
    assert cards.seen(alice, card)["state"] == ("cancelled" if ends else "active")


def test_a_card_that_cools_down_does_so_under_the_next_keys_too(cards, rotate):
    """CB-09, CB-19: who gave five wrong codes waits for a day, whatever the number's fingerprint is by then."""
    person, card = cards.challenged()
    for _ in range(5):
        cards.answer(person, card, "999999")
    assert cards.work("end_card", card) == "declined"
    rotate("2 1")
    answer = cards.bind(person, number_of("challenged"))
    assert (answer.status, answer.code) == (429, "too_many_cards")
