"""Bills as they go over the wire: what answers show of them, validated and published from one definition."""

from typing import Annotated, Any

from msgspec import Meta

from billfold import bills, errors
from billfold.bills import Bill, Summary, bill_sellers
from billfold.bills.bill_changes import Item, Outcome
from billfold.bills.bill_errors import ListChanged
from billfold.clock import to_text
from billfold.triggers.wire import Total, View, one_of, to_builtins

ListHash = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}(?!\n)$", description="the list_hash of the bill's verification")]


Lines = Annotated[list[dict[str, Any]], Meta(extra_json_schema={"items": {"$ref": "#/components/schemas/Line"}})]


Problem = Annotated[dict[str, Any], Meta(extra_json_schema={"$ref": "#/components/schemas/Problem"})]


BillState = Annotated[str, one_of(bills.STATES)]


class BillItem(View, frozen=True):
    id: str
    merchant: str
    terminal: str
    counter: int
    signed_at: str
    lines: Lines
    amount: int
    state: Annotated[str, one_of(bills.ITEM_STATES)]


class ListedItem(View, frozen=True):
    item: str
    merchant: str
    amount: int
    signed_at: str


class Verification(View, frozen=True):
    """The verification request: exactly what is to be paid, under the hash that a verification must name."""

    list_hash: str
    items: list[ListedItem]
    total: Total
    expires_at: str
    tries_left: int


class Refund(View, frozen=True):
    transfer: str
    items: list[str]
    reason: str
    at: str


class BillAnswer(View, frozen=True):
    id: str
    state: BillState
    opened_at: str
    expires_at: str
    total: Total
    items: list[BillItem]
    device: str | None = None
    cap: Total | None = None
    verification: Verification | None = None
    transfer: str | None = None
    refunds: list[Refund] | None = None


class ItemResult(View, frozen=True):
    """`outcome` is added or repeated, with the item's id, or refused, with the problem."""

    outcome: str
    item: str | None = None
    problem: Problem | None = None


class ItemsAnswer(View, frozen=True):
    results: list[ItemResult]
    bill: BillAnswer


class BillSummary(View, frozen=True):
    id: str
    state: BillState
    device: str
    opened_at: str
    expires_at: str
    total: Total


def bill(seen: Bill, tries_left: int, *, merchants: frozenset[str] | None = None) -> BillAnswer:
    """A bill as its owner sees it, or, given merchants, as their administrator does."""
    owners = merchants is None
    if merchants is not None:
        seen = bill_sellers.seen_by(merchants, seen)
    return BillAnswer(
        id=seen.bill_id,
        state=seen.state,
        device=seen.device if owners else None,
        opened_at=to_text(seen.opened_at),
        expires_at=to_text(seen.expires_at),
        total=Total(seen.total.amount, seen.currency),
        items=[_item(item) for item in seen.items],
        cap=Total(seen.cap, seen.currency) if seen.cap is not None else None,
        verification=verification(seen, tries_left) if owners else None,
        transfer=seen.transfer_id or None,
        refunds=[Refund(refund.transfer_id, refund.items, refund.reason, to_text(refund.at)) for refund in seen.refunds]
        or None,
    )


def _item(item: Item) -> BillItem:
    return BillItem(
        item.item_id,
        item.merchant,
        item.terminal,
        item.counter,
        item.signed_at_text,
        item.lines,
        item.amount,
        item.state,
    )


def verification(seen: Bill, tries_left: int) -> Verification | None:
    """The verification request of a bill that waits for one (VB-13)."""
    if seen.state not in bills.OPEN_FOR_PAYMENT or seen.verify_by is None:
        return None
    listed = [ListedItem(item.item_id, item.merchant, item.amount, item.signed_at_text) for item in seen.payable]
    amount = Total(seen.total.amount, seen.currency)
    return Verification(seen.list_hash(), listed, amount, to_text(seen.verify_by), tries_left)


def check_verifiable(seen: Bill, list_hash: str, tries_left: int, now: int) -> None:
    """Refuses as `bills.check_verifiable` does, and shows with ListChanged the list that is to be verified now (VB-14)."""
    try:
        bills.check_verifiable(seen, list_hash, now)
    except ListChanged:
        raise ListChanged(verification=to_builtins(verification(seen, tries_left))) from None


def result(outcome: Outcome) -> ItemResult:
    """What became of one item of a batch."""
    if outcome.outcome == "refused":
        return ItemResult("refused", problem=errors.named(outcome.refusal, outcome.facts).problem())
    return ItemResult(outcome.outcome, item=outcome.item_id)


def summary(one: Summary) -> BillSummary:
    """One line of a list of bills."""
    total = Total(one.total.amount, one.total.currency)
    return BillSummary(one.bill_id, one.state, one.device, to_text(one.opened_at), to_text(one.expires_at), total)
