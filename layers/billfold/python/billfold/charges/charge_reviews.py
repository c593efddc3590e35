"""What a bank says of a charge after it was settled, for settled is not for ever (CB-21, VB-20). Pure rules.

A refund can fail days later: its money goes to the wallet, as when the bank declines one at once. A charge can be disputed: the
bank takes its money back, and may return it. Both are transfers of their own; each state is the bank's present word, so words that
are lost, repeated or in another order change nothing.
"""

from collections.abc import Iterable

from billfold import ids, ledger
from billfold.banks import TakenBack
from billfold.charges import Charge
from billfold.charges.charge_changes import ChargeChange, Disputed, RefundFailed, Reinstated, Settled
from billfold.ledger import Transfer


def refund_failed(charge: Charge, reason: str, now: int) -> tuple[ChargeChange, Transfer]:
    """The refund that its bank could not deliver, and the transfer that credits the wallet instead."""
    return RefundFailed(at=now, reason=reason), to_wallet(charge, "refund", now)


def settled(charge: Charge, change: ChargeChange) -> Transfer | None:
    """The transfer to the wallet of what is no bill's: a top-up that its bank took, a refund that it declined; None otherwise."""
    if charge.purpose == "top_up":
        return to_wallet(charge, "top_up", change.at) if isinstance(change, Settled) else None
    return None if isinstance(change, Settled) else to_wallet(charge, "refund", change.at)


def to_wallet(charge: Charge, kind: ledger.Kind, now: int) -> Transfer:
    """From the card to the wallet: a top-up that is settled, or a refund that the card's bank did not pay."""
    legs = ledger.pay(account(charge), [(ledger.wallet(charge.owner, charge.currency), charge.amount)])
    reason, about = kind.replace("_", "-"), charge.about or charge.charge_id
    return ledger.transfer(charge.transfer_id, legs, at=now, kind=kind, reason=reason, about=about)


def countable(charge: Charge, taken: Iterable[TakenBack]) -> list[tuple[str, int]]:
    """Of what the bank has taken back, each dispute and amount that can be counted in the charge's currency."""
    return [
        (each.dispute, each.amount) for each in taken if each.amount is not None and each.currency == charge.currency
    ]


def disputed(charge: Charge, taken: Iterable[tuple[str, int]], now: int) -> tuple[ChargeChange, Transfer] | None:
    """The first thing that the books do not have of what the bank has taken back (dispute and amount); None: they have it all."""
    present, known = dict(taken), {one.dispute: one for one in charge.disputes}
    for dispute, amount in present.items():
        if dispute not in known:
            moved = _moved(charge, dispute, amount, charge.transfer_id, now)
            return Disputed(at=now, dispute=dispute, amount=amount, transfer=moved.transfer_id), moved
    for dispute, one in known.items():
        if dispute not in present:
            moved = _moved(charge, dispute, -one.amount, one.transfer, now)
            return Reinstated(at=now, dispute=dispute, transfer=moved.transfer_id), moved
    return None


def account(charge: Charge) -> ledger.Account:
    """The account of the charge's card."""
    return ledger.card_funding(charge.owner, charge.card, charge.currency)


def _moved(charge: Charge, dispute: str, amount: int, corrects: str, now: int) -> Transfer:
    """What the bank took back is no longer owed by it, and nobody has paid for it yet: operations decide who does."""
    legs = [ledger.Leg(ledger.chargebacks(charge.currency), -amount), ledger.Leg(account(charge), amount)]
    transfer_id = ids.derived("trf", charge.transfer_id, dispute, str(charge.revision))
    about = charge.charge_id
    return ledger.transfer(
        transfer_id, legs, at=now, kind="chargeback", reason="dispute", about=about, reverses=corrects
    )
