"""What the queue of charges is sent, one codec for all who write to it and for the step that reads it.

chg_…                    ask the bank until it answers
chg_… once               ask it once: after a callback, or for the daily comparison
chg_… charged pi_…       what operations found out at the bank (`charged`, `refunded`, `declined`) and its reference
"""

from typing import NamedTuple

ONCE = "once"


class ChargeMessage(NamedTuple):
    charge_id: str
    word: str = ""
    reference: str = ""

    def text(self) -> str:
        """The message's body; none of its parts has a space."""
        return " ".join(part for part in self if part)


def once(charge_id: str) -> str:
    """The body by which a charge's bank is asked once."""
    return ChargeMessage(charge_id, ONCE).text()


def parse(body: str) -> ChargeMessage:
    """What a body says."""
    return ChargeMessage(*body.split()[:3])
