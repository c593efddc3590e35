"""Refunds of a bill's items (VB-20)."""

from collections.abc import Iterable, Sequence

from billfold import errors
from billfold.bills import Bill, bill_errors
from billfold.bills.bill_changes import Refunded


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
