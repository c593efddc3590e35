"""What a bill is to one of its sellers: its own items, in a state that follows from them alone (VB-12, XX-05).

    active ──► verifying ──► settled ──► partially_refunded ──► refunded
       │           ├──► unpaid
       └───────────┴──► cancelled   (no item of the seller's is left: voided or disputed)

Whether the owner lacked money, pays by card, or has other sellers' items in the bill or refunded, changes nothing in it.
"""

from collections.abc import Collection
from dataclasses import replace
from typing import Any

from billfold.bills import Bill, asks_anew, bill_errors
from billfold.bills.bill_changes import BillChange, ItemDisputed, ItemsAdded, ItemVoided, Refunded, Settled, Unpaid
from billfold.errors import NotFound
from billfold.people import User


def administered(bill: Bill, user: User | None) -> frozenset[str]:
    """The merchants of this user that have items in the bill; NotFound without one: to anyone else the bill does not exist."""
    found = frozenset(user.merchants if user else ()) & {item.merchant for item in bill.items}
    if not found:
        raise NotFound()
    return found


def seen_by(merchants: Collection[str], bill: Bill) -> Bill:
    """The bill as the administrator of these merchants sees it, to be shown and judged, never to be written."""
    own = replace(
        bill,
        items=tuple(item for item in bill.items if item.merchant in merchants),
        refunds=tuple(refund for refund in bill.refunds if refund.by in merchants),
        cap=None,
        transfer_id="",
    )
    return replace(own, state=_state(own))


def _state(own: Bill) -> str:
    """By the seller's items that count; of the whole bill only whether its time is over, and whether it was given up."""
    states = {item.state for item in own.payable}
    if own.state == "active":
        return "active"
    if not states:
        return "cancelled"
    if states == {"added"}:
        return "unpaid" if own.state == "unpaid" else "verifying"
    if "refunded" not in states:
        return "settled"
    return "partially_refunded" if "settled" in states else "refunded"


def void(bill: Bill, item_id: str, merchants: Collection[str], now: int) -> ItemVoided:
    """A seller takes back its own item before the bill closes (VB-12)."""
    own = seen_by(merchants, bill)
    item = own.item(item_id)
    if own.state != "active" or now >= own.expires_at:
        raise bill_errors.BillStateConflict(state="closed" if own.state == "active" else own.state)
    if item.state != "added":
        raise bill_errors.ItemStateConflict(state=item.state)
    return ItemVoided(at=now, item_id=item_id, by=item.merchant)


def told(before: Bill | None, bill: Bill, change: BillChange) -> dict[str, Any]:
    """What those who follow a bill's changes are to know of it: its total for the owner, and whether there is a new list to verify;
    its state for each seller concerned."""
    return {
        "currency": bill.currency,
        "total": bill.total.amount,
        "merchants": concerned(bill, change) or None,
        "asks": asks_anew(before, bill) or None,
    }


def concerned(bill: Bill, change: BillChange) -> dict[str, str]:
    """The merchants who are told of a change, those whose items it touches, with the bill's state as each sees it now."""
    match change:
        case ItemsAdded():
            sellers = [item.merchant for item in change.items]
        case ItemVoided() | ItemDisputed():
            sellers = [bill.item(change.item_id).merchant]
        case Unpaid():
            sellers = [item.merchant for item in bill.payable]
        case Settled():
            sellers = [item.merchant for item in bill.items if item.state == "settled"]
        case Refunded():
            sellers = [change.by]
        case _:
            sellers = []
    return {merchant: seen_by({merchant}, bill).state for merchant in sellers}
