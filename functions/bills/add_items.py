"""Tap a batch of signed items into a bill; each lands once, and a bad one refuses only itself.

Trigger   POST /v1/bills/{bill}/items        (the bill's device)
Reads     bill; user, device, terminals; their merchants
Writes    bill, change                       (one transaction)
Answers   200 an outcome per item, in order, and the bill; 403 not the bill's device; 404 not the caller's bill
Again     the same Idempotency-Key gets the first answer; an item that landed before is `repeated`
May       bills PutItem Query UpdateItem; merchants BatchGetItem; people BatchGetItem
"""

from typing import Annotated, Any

from msgspec import Meta

from billfold import merchants, people
from billfold.bills import Bill, bill_items, bill_rows, bill_wire, taps
from billfold.bills.bill_changes import BillChange, Item, ItemsAdded, Outcome
from billfold.errors import Refusal
from billfold.merchants import Terminal, merchant_rows
from billfold.people import people_rows
from billfold.tables.commits import Commit
from billfold.tables.rows import fetch
from billfold.triggers import dpop, http, wire


class AddItems(wire.Body, frozen=True):
    items: Annotated[list[Any], Meta(min_length=1, max_length=50), wire.each(taps.SignedItem)]


@http.step(body=AddItems, answers=bill_wire.ItemsAnswer, key=True, dpop=True)
def handler(request: http.Request[AddItems]) -> http.Answer:
    device_id, sent, now = dpop.device(request), request.body.items, request.now
    operation = request.operation("opr")
    journal = bill_rows.load(request.parameters["bill"])
    user, device, terminals = fetch(
        people_rows.user(request.caller),
        people_rows.device(request.caller, device_id),
        merchant_rows.terminals(taps.terminals_of(sent)),
    )
    # A second round: only the terminals say whose they are.
    sellers = fetch(merchant_rows.merchants({terminal.merchant for terminal in terminals}))
    bill = journal.present
    user = people.check_own_device(bill.owner, bill.device, user, device)
    if repeat := journal.repeat(operation, request.fingerprint):
        return _answer(*repeat)

    bill_items.check_room(bill)
    items, outcomes = _land(bill, sent, merchants.of_sellers(terminals, sellers), now)
    origin = request.origin(tries_left=people.tries_left(user.pin, now))
    change = ItemsAdded(at=now, items=items, outcomes=outcomes, late=bill_items.is_late(bill, now), **origin)

    if bill_items.worth_recording(bill, change):
        with Commit(operation) as commit:
            bill = bill_rows.add_change(commit, bill, change)

    return _answer(bill, change)


def _land(bill: Bill, sent: list[Any], terminals: dict[str, Terminal], now: int) -> tuple[list[Item], list[Outcome]]:
    """What becomes of each item, judged in order: one that lands counts for the next one's counter, limits and cap."""
    landed: list[Item] = []
    outcomes: list[Outcome] = []
    for number, value in enumerate(sent):
        terminal = terminals.get(str(value.get("terminal"))) if isinstance(value, dict) else None
        try:
            item = taps.item(value, bill, terminal, f"/items/{number}")
            if known := bill_items.same_item(bill, item):
                outcomes.append(Outcome("repeated", known.item_id))
                continue
            bill_items.check_accepts(bill, now)
            taps.check_signature(value, terminal)
            bill_items.check_item(bill, item, now, f"/items/{number}")
        except Refusal as refusal:
            outcomes.append(Outcome("refused", refusal=refusal.code(), facts=refusal.facts))
            continue
        landed.append(item)
        outcomes.append(Outcome("added", item.item_id))
        bill = bill_items.with_item(bill, item)
    return landed, outcomes


def _answer(bill: Bill, change: BillChange) -> http.Answer:
    assert isinstance(change, ItemsAdded), "an operation's id is derived from its path, so only this step has made it"
    results = [bill_wire.result(outcome) for outcome in change.outcomes]
    return http.Answer(200, bill_wire.ItemsAnswer(results, bill_wire.bill(bill, change.tries_left)))
