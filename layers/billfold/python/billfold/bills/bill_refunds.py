"""Refunds of a bill's items (VB-20)."""

from collections.abc import Iterable, Sequence

from billfold import errors, ids, ledger
from billfold.bills import Bill, bill_errors
from billfold.bills.bill_changes import PaidBy, Refunded
from billfold.bills.bill_payments import Movement
from billfold.charges.charge_changes import Started


def refund(
    bill: Bill, item_ids: Sequence[str], merchants: Iterable[str], *, transfer_id: str, reason: str, now: int
) -> Refunded:
    """A seller gives back settled items of its own (VB-20); each at most once."""
    allowed = set(merchants)
    chosen = [bill.item(item_id) for item_id in item_ids]
    if any(item.merchant not in allowed for item in chosen):
        raise errors.NotFound()
    if len(set(item_ids)) != len(item_ids):
        raise errors.Invalid("an item is named twice", "/items")
    for item in chosen:
        if item.state != "settled":
            raise bill_errors.ItemStateConflict(state=item.state)
    sellers = {item.merchant for item in chosen}
    if len(sellers) != 1:
        raise errors.Invalid("one refund is of one seller's items", "/items")
    return Refunded(at=now, transfer_id=transfer_id, items=list(item_ids), reason=reason, by=sellers.pop())


def movement(bill: Bill, refund: Refunded, charge_id: str) -> Movement:
    """The refund with its money, back through the split by which it came: from the seller to the wallet, or to the card that paid.

    `charge_id`: under which a card's bank is asked to give it back.
    """
    paid_by, currency = bill.paid_by, bill.currency
    amount = sum(bill.item(item_id).amount for item_id in refund.items)
    payee = ledger.card_funding(bill.owner, paid_by.card, currency) if paid_by else ledger.wallet(bill.owner, currency)
    transfer = ledger.transfer(
        refund.transfer_id,
        ledger.pay(ledger.sales(refund.by, currency), [(payee, amount)]),
        at=refund.at,
        kind="refund",
        reason="refund",
        about=bill.bill_id,
        reverses=bill.transfer_id,
    )
    if paid_by is None:
        return Movement(refund, transfer)
    return Movement(refund, transfer, charge_id, _asked_back(bill, refund, paid_by, amount))


def _asked_back(bill: Bill, refund: Refunded, paid_by: PaidBy, amount: int) -> Started:
    """What the card's bank is asked to give back; should it not, the money goes to the wallet under the id of `transfer`."""
    return Started(
        at=refund.at,
        owner=bill.owner,
        card=paid_by.card,
        bank=paid_by.bank,
        token="",
        amount=amount,
        currency=bill.currency,
        purpose="refund",
        about=bill.bill_id,
        of=paid_by.reference,
        hold="",
        transfer=ids.derived("trf", refund.transfer_id, "wallet"),
    )
