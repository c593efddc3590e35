"""Paying a bill, from the wallet at once, or by card when its bank has answered (VB-17, CB-21)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from billfold import charges, ledger
from billfold.bills import Bill
from billfold.bills.bill_changes import BillChange, PaidBy, Settled, SettlementFailed, Settling
from billfold.cards import CardSummary
from billfold.cards.card_errors import CardDeclined
from billfold.charges import Charge
from billfold.charges.charge_changes import ChargeChange, Started
from billfold.charges.charge_changes import Settled as Charged
from billfold.ledger import Balance, Transfer
from billfold.ledger.ledger_errors import BalanceTooLow

# The id that an operation yields, by its prefix.
Ids = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Movement:
    """A bill's change, and the money that moves with it: a transfer, or what a card's bank is to be asked for."""

    change: BillChange
    transfer: Transfer | None = None
    charge_id: str = ""
    started: Started | None = None


def pay(bill: Bill, means: CardSummary | Balance, ids: Ids, now: int, origin: dict[str, Any]) -> Movement:
    """The payment of a verified bill by this card, which can pay it, or from the wallet with this balance."""
    if isinstance(means, Balance):
        return by_wallet(bill, means, ids, now, origin)
    return by_card(bill, means, ids, now, origin)


def by_wallet(bill: Bill, balance: Balance, ids: Ids, now: int, origin: dict[str, Any]) -> Movement:
    """One debit of the owner's wallet and one credit per seller, or, without enough money, that the settlement failed."""
    legs, transfer_id = ledger.pay(ledger.wallet(bill.owner, bill.currency), bill.payees()), ids("trf")
    paid = ledger.transfer(transfer_id, legs, at=now, kind="bill", reason="bill", about=bill.bill_id)
    try:
        ledger.after(balance, legs[0])
    except BalanceTooLow as refusal:
        return Movement(SettlementFailed(at=now, refusal=refusal.code(), facts=refusal.facts, **origin))
    settled = Settled(at=now, transfer_id=transfer_id, list_hash=bill.list_hash(), method="pin", **origin)
    return Movement(settled, paid)


def by_card(bill: Bill, card: CardSummary, ids: Ids, now: int, origin: dict[str, Any]) -> Movement:
    """The list is verified, and the card's bank is to be asked for a charge (CB-21)."""
    about, charge_id = bill.bill_id, ids("chg")
    started = charges.start(card, bill.total, "bill", about, now, hold=ids("hld"), transfer=ids("trf"))
    settling = Settling(at=now, charge=charge_id, card=card.card_id, list_hash=bill.list_hash(), method="pin", **origin)
    return Movement(settling, charge_id=charge_id, started=started)


def after_charge(charge: Charge, bill: Bill, change: ChargeChange) -> Movement:
    """What the bank's word makes of the bill: paid, or its settlement failed; then another instrument can be tried.

    Paid is one debit of the card's account and one credit per seller: the list as it was verified, which nothing changes since.
    """
    assert bill.state == "settling", "only this charge's word ends settling"
    assert bill.charge_id == charge.charge_id, "a bill settles by one charge at a time"
    if not isinstance(change, Charged):
        return Movement(SettlementFailed(at=change.at, refusal=CardDeclined.code(), facts={}))
    legs, transfer_id = (
        ledger.pay(ledger.card_funding(charge.owner, charge.card, charge.currency), bill.payees()),
        charge.transfer_id,
    )
    paid = ledger.transfer(transfer_id, legs, at=change.at, kind="bill", reason="bill", about=bill.bill_id)
    paid_by = PaidBy(charge.card, charge.bank, change.reference)
    return Movement(
        Settled(at=change.at, transfer_id=transfer_id, list_hash=bill.list_hash(), method="pin", paid_by=paid_by), paid
    )
