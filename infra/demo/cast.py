"""Who plays in the demo: customers with new phones and shops with their registered tills, all over the HTTP API."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from billfold.money import Money, to_text
from infra.clients.api import Client, Refusal, sign_in
from infra.clients.phones import Phone, Till
from infra.demo.narration import Story

CURRENCY = "USD"
PHONE_NAME = "demo phone"


class Customer:
    """A user of the stack with a phone of their own, registered for this play and removed after it."""

    def __init__(self, stack: dict[str, Any], name: str) -> None:
        self.name, self.pin = name.capitalize(), str(stack["users"][name]["pin"])
        self.user_id = str(stack["users"][name]["id"])
        self.phone = Phone()
        self.api = Client(stack["api"], sign_in(stack, name), self.phone)
        self.device = str(self.api.post("/v1/devices", {"name": PHONE_NAME, "jwk": self.phone.jwk})["id"])

    def leave(self) -> None:
        """Remove the phone; a phone that a failed play left with an open bill stays."""
        with suppress(Refusal):
            self.api.delete(f"/v1/devices/{self.device}")
        self.api.close()

    def open_bill(self, currency: str, **fields: Any) -> dict[str, Any]:
        return dict(self.api.post("/v1/bills", {"device": self.device, "currency": currency, **fields}))

    def bill(self, bill_id: str) -> dict[str, Any]:
        return dict(self.api.get(f"/v1/bills/{bill_id}"))

    def tap(self, bill_id: str, items: list[dict[str, Any]], *, key: str = "") -> dict[str, Any]:
        """Deliver signed items; the answer has a result for each."""
        return dict(self.api.post(f"/v1/bills/{bill_id}/items", {"items": items}, key=key, proven=True))

    def close(self, bill_id: str) -> dict[str, Any]:
        return dict(self.api.post(f"/v1/bills/{bill_id}/close", proven=True))

    def verify(
        self, bill_id: str, list_hash: str, pin: str, *, key: str = "", instrument: str | None = None
    ) -> dict[str, Any]:
        """Verify a bill's list; `instrument` is a card that pays instead of the wallet."""
        body = {"list_hash": list_hash, "pin": pin} | ({"instrument": instrument} if instrument else {})
        return dict(self.api.post(f"/v1/bills/{bill_id}/verification", body, key=key, proven=True))

    def wallet(self, currency: str) -> int:
        """What is available in the wallet, in minor units."""
        wallets = self.api.get("/v1/wallets")["items"]
        return sum(wallet["available"] for wallet in wallets if wallet["currency"] == currency)

    def statement(self, currency: str) -> list[dict[str, Any]]:
        return self.api.everything(f"/v1/wallets/{currency}/entries", limit=100)

    def card(self, card_id: str) -> dict[str, Any]:
        return dict(self.api.get(f"/v1/cards/{card_id}"))

    def events(self, about: str) -> list[str]:
        """The types of the events about a bill, card or top-up, as they were told."""
        return [str(event["type"]) for event in self.told(about)]

    def told(self, about: str) -> list[dict[str, Any]]:
        """The events about a bill, card or top-up."""
        return [event for event in self.api.everything("/v1/events", limit=100) if event["about"] == about]


class Shop:
    """A merchant of the stack: its tills, and its administrator's calls."""

    def __init__(self, stack: dict[str, Any], merchant: dict[str, Any]) -> None:
        self.name, self.merchant = str(merchant["name"]), str(merchant["id"])
        self.tills = [Till(terminal["id"], terminal["private_key"]) for terminal in merchant["terminals"]]
        self.api = Client(stack["api"], sign_in(stack, merchant["admin"]))

    def leave(self) -> None:
        self.api.close()

    def takings(self, currency: str) -> int:
        """The balance of its sales account, in minor units."""
        return int(self.api.get(f"/v1/merchants/{self.merchant}", currency=currency)["balance"]["amount"])

    def statement(self, currency: str) -> list[dict[str, Any]]:
        return self.api.everything(f"/v1/merchants/{self.merchant}/entries", currency=currency, limit=100)

    def refund(self, bill_id: str, items: Iterable[str], reason: str) -> dict[str, Any]:
        return dict(self.api.post(f"/v1/bills/{bill_id}/refunds", {"items": list(items), "reason": reason}))

    def events(self, bill_id: str) -> list[str]:
        told = self.api.everything("/v1/events", merchant=self.merchant, limit=100)
        return [str(event["type"]) for event in told if event["about"] == bill_id]


def forged(item: dict[str, Any]) -> dict[str, Any]:
    """The item with another price, lines and sum alike, under the signature of the honest one."""
    lines = [line | {"unit_amount": line["unit_amount"] * 10} for line in item["lines"]]
    return item | {"lines": lines, "amount": sum(line["quantity"] * line["unit_amount"] for line in lines)}


@dataclass
class Play:
    """The stage: who is there, and the bills that were opened."""

    story: Story
    stack: dict[str, Any]
    customers: dict[str, Customer] = field(default_factory=dict)
    shops: list[Shop] = field(default_factory=list)
    bills: dict[str, dict[str, Any]] = field(default_factory=dict)
    before: dict[str, int] = field(default_factory=dict)
    late_item: dict[str, Any] = field(default_factory=dict)
    items: dict[str, str] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Customer:
        return self.customers[name]

    @property
    def owners(self) -> list[Customer | Shop]:
        """Everybody who has an account."""
        return [*self.customers.values(), *self.shops]


def money(amount: int, currency: str = CURRENCY) -> str:
    return to_text(Money(amount, currency))


def outcomes(answer: dict[str, Any]) -> list[str]:
    return [result["outcome"] for result in answer["results"]]


def items_of(answer: dict[str, Any]) -> list[str]:
    return [result["item"] for result in answer["results"] if "item" in result]


def tapped(stage: Play, batch: list[dict[str, Any]], answer: dict[str, Any]) -> list[tuple[str, str, str, str]]:
    shops = {till.terminal_id: shop.name for shop in stage.shops for till in shop.tills}
    rows = []
    for item, result in zip(batch, answer["results"], strict=True):
        lines = ", ".join(f"{line['quantity']} × {line['name']}" for line in item["lines"])
        outcome = result["outcome"] + (f": {result['problem']['detail']}" if "problem" in result else "")
        rows.append((shops[item["terminal"]], lines, money(item["amount"]), outcome))
    return rows


def instant(text: str) -> float:
    """Seconds since 1970 of an RFC 3339 text."""
    return datetime.fromisoformat(text).timestamp()
