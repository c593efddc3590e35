"""Letting a waiting state machine go on."""

from tests.cloud import delivery
from tests.world import STEPS, Person


def waiting(cards, behaviour) -> tuple[Person, str]:
    """A card whose execution waits for its bank or for a code."""
    person, card = cards.bound(behaviour)
    cards.machines.start(card, {"card": card})
    cards.machines.run()
    return person, card


def resume(card: str) -> None:
    answer = STEPS["resume_authentication"].handler(delivery.sqs_event([card]), None)
    assert answer == {"batchItemFailures": []}


def test_an_answered_challenge_lets_it_go_on_once(cards):
    """CB-09: a token works once; a second message finds nobody."""
    person, card = waiting(cards, "challenged")
    assert cards.answer(person, card).status == 200
    resume(card)
    cards.machines.run()
    resume(card)
    assert cards.machines.waiting() == []
    assert cards.seen(person, card)["state"] == "active"


def test_it_goes_on_waiting_while_nothing_has_come(cards):
    """CB-09, CB-13: a wrong code of five, or a message too many, ends no waiting."""
    person, card = waiting(cards, "challenged")
    assert cards.answer(person, card, "999999").status == 403
    resume(card)
    assert [one.answered for one in cards.machines.waiting()] == [False]


def test_giving_up_ends_its_waiting(cards):
    """CB-14: the machine finds the card over, and ends."""
    person, card = waiting(cards, "silent")
    assert cards.remove(person, card).status == 204
    cards.settle()
    execution = cards.machines.executions[card]
    assert (cards.seen(person, card)["state"], execution.status) == ("cancelled", "SUCCEEDED")
