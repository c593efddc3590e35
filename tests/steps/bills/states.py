"""The states of bills and of their items: what the code lists, where it reaches them, and what is another thing's there."""

from billfold import bills
from billfold.bills import bill_changes

_BILLS, _ITEMS = set(bills.STATES), set(bills.ITEM_STATES)
RESOURCES = {
    "BillAnswer": (bills.STATES, (bills,), _ITEMS - _BILLS),
    "BillSummary": (bills.STATES, (bills,), _ITEMS - _BILLS),
    "BillItem": (bills.ITEM_STATES, (bill_changes, bills), _BILLS - _ITEMS),
}
