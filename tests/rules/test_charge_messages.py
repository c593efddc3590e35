"""What the queue of charges is sent reads back as what was meant (CB-21)."""

import pytest

from billfold.charges import charge_messages
from billfold.charges.charge_messages import ChargeMessage


@pytest.mark.parametrize(
    ("message", "body"),
    [
        (ChargeMessage("chg_1"), "chg_1"),
        (ChargeMessage("chg_1", charge_messages.ONCE), "chg_1 once"),
        (ChargeMessage("chg_1", "charged", "pi_1"), "chg_1 charged pi_1"),
        (ChargeMessage("chg_1", "declined"), "chg_1 declined"),
    ],
)
def test_a_message_reads_back_as_it_was_meant(message, body):
    """The bodies are on queues while a deployment shifts: they stay as they are."""
    assert message.text() == body
    assert charge_messages.parse(body) == message


def test_once_is_the_word_for_asking_a_single_time():
    """After a callback and for the daily comparison."""
    assert charge_messages.parse(charge_messages.once("chg_1")) == ChargeMessage("chg_1", charge_messages.ONCE)
