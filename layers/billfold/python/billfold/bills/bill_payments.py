"""Paying a bill, from the wallet at once, or by card when its bank has answered (VB-17, CB-21)."""

from typing import Any

from billfold import ledger
from billfold.bills import Bill
from billfold.bills.bill_changes import BillChange, PaidBy, Settled, SettlementFailed, Settling
from billfold.cards.card_errors import CardDeclined
from billfold.charges import Charge
from billfold.charges.charge_changes import ChargeChange
from billfold.charges.charge_changes import Settled as Charged
from billfold.ledger import Balance, Transfer
from billfold.ledger.ledger_errors import BalanceTooLow


def by_wallet(
    bill: Bill, balance: Balance, transfer_id: str, now: int, marks: dict[str, Any]
) -> tuple[Transfer | None, BillChange]:
    """One debit of the owner's wallet and one credit per seller, or, without enough money, that the settlement failed."""
    legs = ledger.pay(ledger.wallet(bill.owner, bill.currency), bill.payees())
    paid = ledger.transfer(transfer_id, legs, at=now, kind="bill", reason="bill", about=bill.bill_id)
    try:
        ledger.after(balance, legs[0])
    except BalanceTooLow as refusal:
        return None, SettlementFailed(at=now, refusal=refusal.code(), facts=refusal.facts, **marks)
    return paid, Settled(at=now, transfer_id=transfer_id, list_hash=bill.list_hash(), method="pin", **marks)


def by_card(bill: Bill, charge: Charge, now: int, marks: dict[str, Any]) -> Settling:
    """The list is verified, and the card's bank is to be asked for this charge."""
    return Settling(
        at=now, charge=charge.charge_id, card=charge.card, list_hash=bill.list_hash(), method="pin", **marks
    )


def transfer(charge: Charge, bill: Bill, now: int) -> Transfer:
    """One debit of the card's account and one credit per seller: the list as it was verified, which nothing changes since."""
    assert bill.state == "settling", "only this charge's word ends settling"
    assert bill.charge_id == charge.charge_id, "a bill settles by one charge at a time"
    legs = ledger.pay(ledger.card(charge.owner, charge.card, charge.currency), bill.payees())
    return ledger.transfer(charge.transfer_id, legs, at=now, kind="bill", reason="bill", about=bill.bill_id)


def after_charge(charge: Charge, bill: Bill, change: ChargeChange) -> BillChange:
    """The bill is paid, or its settlement failed: the items are kept and another instrument can be tried."""
    if isinstance(change, Charged):
        paid_by = PaidBy(charge.card, charge.bank, change.reference)
        return Settled(
            at=change.at, transfer_id=charge.transfer_id, list_hash=bill.list_hash(), method="pin", paid_by=paid_by
        )
    return SettlementFailed(at=change.at, refusal=CardDeclined.code(), facts={})
