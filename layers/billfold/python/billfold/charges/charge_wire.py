"""What goes over the wire about charges of cards."""

from typing import Annotated

from billfold.charges import Charge
from billfold.clock import to_text
from billfold.triggers import wire

TEXTS = {
    "settling": "Your bank is being asked.",
    "settled": "Done.",
    "declined": "Your bank declined the payment. You were not charged.",
    "disputed": "Done.",
}


class TopUpAnswer(wire.View, frozen=True):
    """Money on its way from a card to the wallet; `transfer` once it is there."""

    id: str
    state: Annotated[str, wire.one_of(TEXTS)]
    card: str
    amount: wire.Total
    started_at: str
    text: str
    transfer: str | None = None


def top_up(charge: Charge) -> TopUpAnswer:
    """A top-up as its owner sees it."""
    return TopUpAnswer(
        charge.charge_id,
        charge.state,
        charge.card,
        wire.Total(charge.amount, charge.currency),
        to_text(charge.started_at),
        TEXTS[charge.state],
        charge.transfer_id if charge.state in ("settled", "disputed") else None,
    )
