"""Who plays in the demo: customers with new phones and shops with their registered tills, all over the HTTP API."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from infra.client import Client, Refusal, sign_in
from infra.phones import Phone, Till

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

    def verify(self, bill_id: str, list_hash: str, pin: str, *, key: str = "") -> dict[str, Any]:
        body = {"list_hash": list_hash, "pin": pin}
        return dict(self.api.post(f"/v1/bills/{bill_id}/verification", body, key=key, proven=True))

    def wallet(self, currency: str) -> int:
        """What is available in the wallet, in minor units."""
        wallets = self.api.get("/v1/wallets")["items"]
        return sum(wallet["available"] for wallet in wallets if wallet["currency"] == currency)

    def statement(self, currency: str) -> list[dict[str, Any]]:
        return self.api.everything(f"/v1/wallets/{currency}/entries", limit=100)

    def events(self, bill_id: str) -> list[str]:
        """The types of the events about a bill, as they were told."""
        told = self.api.everything("/v1/events", limit=100)
        return [str(event["type"]) for event in told if event["about"] == bill_id]


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
