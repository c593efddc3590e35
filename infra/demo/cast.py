"""Who plays in the demo: customers with new phones and shops with their registered tills, all over the HTTP API."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from billfold.money import Money, to_text
from infra.clients.api import Client, Refusal, sign_in
from infra.clients.phones import Phone, Till
from infra.demo.narration import Story

T = TypeVar("T")
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

    def wallet(self, currency: str) -> int:
        """What is available in the wallet, in minor units."""
        wallets = self.api.get("/v1/wallets")["items"]
        return sum(wallet["available"] for wallet in wallets if wallet["currency"] == currency)

    def statement(self, currency: str) -> list[dict[str, Any]]:
        return self.api.everything(f"/v1/wallets/{currency}/entries", limit=100)

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

    def events(self, bill_id: str) -> list[str]:
        told = self.api.everything("/v1/events", merchant=self.merchant, limit=100)
        return [str(event["type"]) for event in told if event["about"] == bill_id]


@dataclass
class Play:
    """What a demo goes on with: who takes part, and what they had before."""

    story: Story
    stack: dict[str, Any]
    customers: dict[str, Customer] = field(default_factory=dict)
    shops: list[Shop] = field(default_factory=list)
    before: dict[str, int] = field(default_factory=dict)
    _notes: dict[type, Any] = field(default_factory=dict)

    def notes(self, kind: type[T]) -> T:
        """What a story's chapters leave for later ones: one of its own kind, made when it is first asked for."""
        if kind not in self._notes:
            self._notes[kind] = kind()
        found: T = self._notes[kind]
        return found

    def __getitem__(self, name: str) -> Customer:
        return self.customers[name]

    @property
    def owners(self) -> list[Customer | Shop]:
        """Everybody who has an account."""
        return [*self.customers.values(), *self.shops]


Chapter = Callable[[Play], None]


@dataclass(frozen=True)
class Acts:
    """A workflow's story: its chapters, what must be set up before any story's, and what is left to time until all are told."""

    chapters: tuple[Chapter, ...]
    opening: tuple[Chapter, ...] = ()
    closing: tuple[Chapter, ...] = ()


def money(amount: int, currency: str = CURRENCY) -> str:
    return to_text(Money(amount, currency))


def instant(text: str) -> float:
    """Seconds since 1970 of an RFC 3339 text."""
    return datetime.fromisoformat(text).timestamp()
