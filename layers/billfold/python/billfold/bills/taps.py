"""Signed items as terminals send them: their shape, and whether the signature is the terminal's (VB-06).

The signature is Ed25519 (RFC 8032) over the ASCII line `billfold-item-v1`, a newline, and the RFC 8785 canonical JSON of
the item without `signature`, in the one base64 of its bytes: `item` derives the item's id from that text.
"""

import base64
from typing import Annotated, Any

import rfc8785
from cryptography.exceptions import InvalidSignature
from msgspec import Meta

from billfold import ids, merchants
from billfold.bills import Bill
from billfold.bills.bill_changes import Item
from billfold.bills.bill_errors import SignatureInvalid, TerminalRefused
from billfold.clock import from_text
from billfold.errors import Invalid
from billfold.merchants import Terminal
from billfold.money import MAX_AMOUNT_MINOR
from billfold.triggers import bodies, public_keys, wire

DOMAIN = b"billfold-item-v1\n"
# The largest integer that every JSON reader keeps exact (RFC 8785): 2^53 - 1.
MAX_COUNTER = 2**53 - 1


class Line(wire.Body, frozen=True):
    name: wire.Name
    quantity: Annotated[int, Meta(ge=1, le=1_000_000)]
    unit_amount: Annotated[int, Meta(ge=0, le=MAX_AMOUNT_MINOR)]


class SignedItem(wire.Body, frozen=True):
    bill: wire.Id
    terminal: wire.Id
    counter: Annotated[int, Meta(ge=0, le=MAX_COUNTER)]
    signed_at: Annotated[str, Meta(pattern=r"^[0-9TtZz.:+-]{1,40}(?!\n)$", description="an instant in RFC 3339")]
    lines: Annotated[list[Line], Meta(min_length=1, max_length=20)]
    amount: wire.Minor
    currency: wire.Currency
    signature: Annotated[str, Meta(pattern=r"^[\x21-\x7e]{1,128}(?!\n)$", description="an Ed25519 signature in base64")]


def terminals_of(items: list[Any]) -> set[str]:
    """The terminals that these items, well-formed or not, name."""
    names = [item.get("terminal") for item in items if isinstance(item, dict)]
    return {name for name in names if isinstance(name, str) and 0 < len(name) <= 64}


def item(value: Any, bill: Bill, terminal: Terminal | None, at: str) -> Item:
    """The item in a JSON value; Invalid with a pointer when it is malformed or not for this bill."""
    sent = bodies.convert(value, SignedItem, at)
    if sent.bill != bill.bill_id:
        raise Invalid("the item is signed for another bill", at + "/bill")
    if sent.currency != bill.currency:
        raise Invalid("the item is in another currency than the bill", at + "/currency")
    if sent.amount != sum(line.quantity * line.unit_amount for line in sent.lines):
        raise Invalid("the amount is not the sum of the lines", at + "/amount")
    try:
        signed_at = from_text(sent.signed_at)
    except (ValueError, OverflowError):
        raise Invalid("signed_at is not an RFC 3339 instant", at + "/signed_at") from None
    return Item(
        ids.derived("itm", sent.bill, sent.terminal, str(sent.counter), sent.signature),
        terminal.merchant if terminal else "",
        sent.terminal,
        sent.counter,
        signed_at,
        sent.amount,
        value["lines"],
        sent.signed_at,
        sent.signature,
    )


def check_signature(value: dict[str, Any], terminal: Terminal | None) -> None:
    """TerminalRefused for an unknown or revoked terminal, SignatureInvalid when it did not sign exactly this (VB-07),
    MerchantSuspended when it did and its merchant may not sell."""
    if terminal is None or terminal.revoked_at is not None:
        raise TerminalRefused()
    signed = {name: part for name, part in value.items() if name != "signature"}
    try:
        key = public_keys.ed25519(base64.b64decode(terminal.public_key))
        key.verify(public_keys.decoded_base64(value["signature"]), DOMAIN + rfc8785.dumps(signed))
    except (InvalidSignature, ValueError):
        raise SignatureInvalid() from None
    merchants.check_active(terminal)
