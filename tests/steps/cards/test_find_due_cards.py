"""Finding the cards that no state machine has ended, every minute."""

from tests.cloud import delivery
from tests.world import STEPS, joined


def find():
    return STEPS["find_due_cards"].handler({}, None)


def test_what_is_open_too_long_is_queued_and_found_no_more_once_it_has_ended(cards, later):
    """CB-13, XX-04: by the sparse index of deadlines; what became active or ended by itself has none."""
    owner = joined()
    stuck = [cards.bound(person=owner, rest=rest)[1] for rest in range(1, 4)]
    cards.active(rest=4)
    cards.work("end_card", cards.asked("declined")[1])
    later(minutes=119)
    assert find() == {"found": 0}
    later(minutes=1)
    young, card = cards.bound(rest=5)
    assert find() == {"found": 3}
    delivery.drain(cards.queues)
    assert [cards.seen(owner, card)["state"] for card in stuck] == ["expired"] * 3
    assert cards.seen(young, card)["state"] == "created"
    assert find() == {"found": 0}
