"""What a bill's changes mean to those who are told of them: its owner, and each seller concerned."""

from typing import Any

from billfold import events
from billfold.bills import bill_rows
from billfold.bills.bill_changes import BillChange
from billfold.changes import kinds
from billfold.events import Event

VERIFICATION_REQUESTED = "bill.verification_requested"
# By the change's kind, and the state that it led to where one kind can lead to several.
EVENTS = events.names(
    "bill",
    kinds(BillChange),
    {
        ("item_disputed", ""): "bill.item_disputed",
        ("item_disputed", "cancelled"): "bill.cancelled",
        ("closed", "verifying"): VERIFICATION_REQUESTED,
        ("closed", "expired_empty"): "bill.expired_empty",
        ("reminded", ""): "bill.verification_reminded",
    },
)


def events_of(image: dict[str, Any]) -> list[Event]:
    """The events that a row inserted into this table means: its owner's, and one for each merchant concerned."""
    row = bill_rows.JOURNALS.inserted(image)
    if row is None:
        return []
    made: list[Event] = []
    change, at, total = f"{row.pk}/{row.sk}", row.facts["at"], {"amount": row.total, "currency": row.currency}
    for kind in owners_kinds(row.kind, row.state, asks=bool(row.asks)):
        facts = {"revision": int(row.sk), "state": row.state, "total": total}
        made.append(Event(f"{change}/asked" if made else change, row.user, kind, row.pk, at, facts))
    sellers = row.merchants if isinstance(row.merchants, dict) else dict.fromkeys(row.merchants or [])
    for merchant, state in sellers.items():
        facts = {"state": state} if state else {}
        # What the bill became is its owner's affair.
        made.append(Event(change, merchant, EVENTS[row.kind, ""], row.pk, at, facts))
    return made


def owners_kinds(change: str, state: str, *, asks: bool) -> list[str]:
    """The names of the events that a change of a bill is to its owner; `asks`: it makes a list to verify (VB-14)."""
    told = EVENTS.get((change, state)) or EVENTS[change, ""]
    return list(dict.fromkeys([told, *([VERIFICATION_REQUESTED] if asks else [])]))
