"""Forwarding what happens to cards."""

from tests.cloud import delivery
from tests.world import STEPS, told


def test_an_owner_hears_of_each_step_once_though_the_stream_comes_twice(store, cards):
    """CB-11, XX-03: requested, then linked; with the text to show."""
    person, card = cards.bound("challenged")
    cards.settle(twice=True)
    assert cards.answer(person, card).status == 200
    cards.settle(twice=True)
    assert [event["type"] for event in told(person)] == ["card.created", "card.code_requested", "card.linked"]
    last = told(person)[-1]
    assert last["facts"]["text"].endswith("is now linked. You can pay with it.") if "facts" in last else last


def test_nothing_of_the_bank_or_the_vault_is_in_a_message(store, cards, queues):
    """CB-18: ids, states and what the owner may know."""
    cards.challenged()
    bodies = []
    STEPS["forward_card_changes"].handler({"Records": delivery.records(store, "cards")}, None)
    for address in queues.list_queues()["QueueUrls"]:
        answer = queues.receive_message(QueueUrl=address, MaxNumberOfMessages=10)
        bodies += [message["Body"] for message in answer.get("Messages", [])]
    assert bodies
    for secret in ("token", "fingerprint", "reference", "bau_", "4000001"):
        assert not [body for body in bodies if secret in body]
