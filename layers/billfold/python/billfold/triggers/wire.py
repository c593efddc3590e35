"""What goes over the wire: the models that requests and answers share, validated and published from one definition."""

from collections.abc import Iterable
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from billfold import bill_sellers, bills, errors, ids, ledger, money
from billfold.bill_changes import Item, Outcome
from billfold.bills import Bill, Summary
from billfold.clock import to_text
from billfold.errors import Invalid
from billfold.ledger import Entry, Transfer
from billfold.merchants import Terminal
from billfold.triggers import fingerprints, texts
from billfold.triggers.texts import Text

# Python's `$` also matches before a last newline; `(?!\n)` keeps that out, and changes nothing in ECMA-262's dialect.
Currency = Annotated[str, Meta(pattern=r"^[A-Z]{3}(?!\n)$", description="ISO 4217 alphabetic code")]
Minor = Annotated[int, Meta(ge=1, le=money.MAX_AMOUNT_MINOR, description="an amount in minor units")]
Pin = Annotated[str, Meta(pattern=r"^[0-9]{4,8}(?!\n)$", description="4 to 8 digits"), fingerprints.NEVER]
Id = Annotated[str, Meta(pattern=rf"^(?:{ids.SHAPE})(?!\n)$", description="an id as this API gives them")]

ListHash = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}(?!\n)$", description="the list_hash of the bill's verification")]


class NameText(Text):
    longest = 80


class ReasonText(Text):
    longest = 140


Name = Annotated[NameText, Meta(extra_json_schema=texts.schema(NameText))]
Reason = Annotated[ReasonText, Meta(extra_json_schema=texts.schema(ReasonText))]

# Checked elsewhere and passed on as they are; the contract says what they look like.
Lines = Annotated[list[dict[str, Any]], Meta(extra_json_schema={"items": {"$ref": "#/components/schemas/Line"}})]
Problem = Annotated[dict[str, Any], Meta(extra_json_schema={"$ref": "#/components/schemas/Problem"})]


def one_of(states: Iterable[str]) -> Meta:
    """What the contract says of a state: one of those that the code knows. It is published, not checked: we are who says it."""
    return Meta(extra_json_schema={"enum": list(states)})


BillState = Annotated[str, one_of(bills.STATES)]


class Body(Struct, frozen=True, forbid_unknown_fields=True):
    """A request's body: unknown fields are refused."""


class View(Struct, frozen=True, omit_defaults=True):
    """What an answer shows; fields that are None are left out."""


class Amount(Body, frozen=True):
    """Money in minor units: {"amount": 1250, "currency": "USD"} is $12.50."""

    amount: Minor
    currency: Currency


class Total(View, frozen=True):
    """A sum in minor units, which can be zero."""

    amount: int
    currency: str


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


class TransferAnswer(View, frozen=True):
    """`kind` says what it was, whatever the text in `reason`; `payer` is absent when the money came from outside Billfold."""

    id: str
    at: str
    amount: Total
    kind: ledger.Kind
    reason: str
    payees: list[str]
    payer: str | None = None
    about: str | None = None
    reverses: str | None = None


class EntryAnswer(View, frozen=True):
    """One line of a statement: what a transfer did to the account; negative is a debit, in minor units.

    `kind` says what it was, whatever the text in `reason`."""

    transfer: str
    at: str
    amount: int
    currency: str
    kind: ledger.Kind
    reason: str
    about: str | None = None


class TerminalAnswer(View, frozen=True):
    id: str
    merchant: str
    name: str
    public_key: str
    revoked_at: str | None = None


class BillSummary(View, frozen=True):
    id: str
    state: BillState
    device: str
    opened_at: str
    expires_at: str
    total: Total


class Page(View, frozen=True):
    """One page of a list; `next` is the cursor of the following one, absent at the end."""

    items: list[Any]
    next: str | None = None


def known_currency(code: str, pointer: str) -> str:
    """The code, if money of it can exist; Invalid at the pointer otherwise."""
    if not money.is_currency(code):
        raise Invalid("ISO 4217 does not list this currency", pointer)
    return code


def current_currency(code: str, pointer: str) -> str:
    """The code, if something new may be opened in it; Invalid at the pointer otherwise."""
    if not money.is_current(code):
        raise Invalid("ISO 4217 does not list this currency, or no longer", pointer)
    return code


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


def result(outcome: Outcome) -> ItemResult:
    """What became of one item of a batch."""
    if outcome.outcome == "refused":
        return ItemResult("refused", problem=errors.named(outcome.refusal, outcome.facts).problem())
    return ItemResult(outcome.outcome, item=outcome.item_id)


def transfer(posted: Transfer, parties: set[str] | None = None) -> TransferAnswer:
    """A transfer as its payer sees it, or, given parties, as a payee does: without the other payees (XX-05)."""
    payers = [leg.account.owner for leg in posted.legs if leg.amount < 0]
    credits = [(leg.amount, leg.account.owner) for leg in posted.legs if leg.amount > 0]
    if parties is not None and not parties & set(payers):
        credits = [(amount, owner) for amount, owner in credits if owner in parties]
    return TransferAnswer(
        id=posted.transfer_id,
        at=to_text(posted.at),
        amount=Total(sum(amount for amount, _ in credits), posted.currency),
        kind=posted.kind,
        reason=posted.reason,
        payees=[owner for _, owner in credits if owner],
        payer=payers[0] or None,
        about=posted.about or None,
        reverses=posted.reverses or None,
    )


def entry(line: Entry, currency: str) -> EntryAnswer:
    """A line of a statement."""
    at = to_text(line.at)
    return EntryAnswer(line.transfer_id, at, line.amount, currency, line.kind, line.reason, line.about or None)


def terminal(one: Terminal) -> TerminalAnswer:
    """A terminal as its merchant's administrator sees it."""
    revoked_at = None if one.revoked_at is None else to_text(one.revoked_at)
    return TerminalAnswer(one.terminal_id, one.merchant, one.name, one.public_key, revoked_at)


def summary(one: Summary) -> BillSummary:
    """One line of a list of bills."""
    total = Total(one.total.amount, one.total.currency)
    return BillSummary(one.bill_id, one.state, one.device, to_text(one.opened_at), to_text(one.expires_at), total)


def to_builtins(value: Any) -> Any:
    """An answer as plain JSON values, to be kept in an idempotency record."""
    return msgspec.to_builtins(value)
