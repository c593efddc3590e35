"""Starting a card's state machine."""

from tests.cloud import delivery
from tests.world import STEPS


def test_a_card_has_one_execution_named_by_its_id_and_given_nothing_else(cards):
    """CB-18: however often the message comes."""
    _, card = cards.bound()
    for _ in range(3):
        answer = STEPS["start_authentication"].handler(delivery.sqs_event([card]), None)
        assert answer == {"batchItemFailures": []}
    assert [one.input for one in cards.machines.executions.values()] == [f'{{"card":"{card}"}}']
