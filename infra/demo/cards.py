"""What customers do with cards."""

import secrets
from typing import Any

from billfold import card_numbers
from infra.demo.cast import CURRENCY, Customer

PERSON = {"name": "Erin Holder", "document_type": "passport", "document_number": "C01X00T47", "phone": "+4915155512345"}


def number(digits: str) -> str:
    """A new card of this kind: it begins so, and its last digit makes it valid."""
    body = digits + f"{secrets.randbelow(10_000_000):07d}"
    return next(f"{body}{last}" for last in range(10) if card_numbers.luhn(f"{body}{last}"))


def bind(customer: Customer, card_number: str, **more: str) -> dict[str, Any]:
    body = {
        "number": card_number,
        "expiry": {"year": 2031, "month": 7},
        "holder": "ERIN HOLDER",
        "person": PERSON,
        "consent": "2026-11",
        **more,
    }
    return dict(customer.api.post("/v1/cards", body, proven=True))


def read(customer: Customer, card_id: str) -> dict[str, Any]:
    return dict(customer.api.get(f"/v1/cards/{card_id}"))


def top_up(customer: Customer, card: str, amount: int) -> dict[str, Any]:
    body = {"card": card, "amount": {"amount": amount, "currency": CURRENCY}}
    return dict(customer.api.post("/v1/top-ups", body))
