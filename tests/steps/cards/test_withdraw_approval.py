"""Taking back an approval of a card that is over."""

from billfold import ids
from billfold.cards import card_rows
from sandbox_bank import rows
from tests.cloud import delivery
from tests.world import STEPS


def withdraw(card, *, before=0, waits=False):
    answer = STEPS["withdraw_approval"].handler(delivery.sqs_event([card], before=before), None)
    assert bool(answer["batchItemFailures"]) is waits


def at_the_bank(card):
    row = rows.authentication(ids.derived("bau", f"{card}/authentication"))
    assert row
    return row.withdrawn


def test_an_approval_that_its_owner_gave_up_is_withdrawn_once(cards):
    """CB-14: at the bank, and recorded."""
    person, card = cards.asked()
    assert cards.remove(person, card).status == 204
    for _ in range(2):
        withdraw(card)
    assert at_the_bank(card)
    assert card_rows.load(card).present.withdrawn
    assert [call for call, _ in cards.bank.calls].count("POST /v1/refunds") == 1


def test_a_removed_card_can_no_more_be_charged_at_the_bank(cards):
    """CB-14, CB-20: its approval is withdrawn as well, by what follows its removal."""
    person, card = cards.active()
    assert cards.remove(person, card).status == 204
    cards.settle()
    assert at_the_bank(card)


def test_what_is_active_or_was_never_approved_is_left_alone(cards):
    """CB-14: and the bank is not asked."""
    _, active = cards.active()
    _, declined = cards.asked("mismatched")
    cards.work("end_card", declined)
    asked = len(cards.bank.calls)
    for card in (active, declined):
        withdraw(card)
    assert len(cards.bank.calls) == asked
    assert not at_the_bank(active)


def test_without_an_answer_the_bank_is_asked_again_and_at_last_an_alarm_raised(cards, monkeypatch, caplog):
    """CB-14: nothing is recorded before the bank took it back; after twelve asks the message fails, and becomes a dead letter."""
    person, card = cards.asked()
    assert cards.remove(person, card).status == 204
    with monkeypatch.context() as broken:
        broken.setenv("BILLFOLD_SANDBOX_BANK_ADDRESS", "http://127.0.0.1:9")
        withdraw(card, waits=True)
        for before in (12, 13):
            withdraw(card, before=before, waits=True)
            assert caplog.records[-1].levelname == "ERROR"
    assert not card_rows.load(card).present.withdrawn
    withdraw(card)
    assert card_rows.load(card).present.withdrawn
