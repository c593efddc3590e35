"""For every HTTP step but those about cards, as many calls as wanted that it answers with success.

A call is a step and the event that the gateway would hand it. What an occasion needs (a bill with a tap, a settled bill, a
seller's terminal) is made by the steps themselves before it is handed out, so that measuring it measures one call of one step.
"""

import json
from collections.abc import Callable
from typing import Any

from infra.clients.phones import Till
from tests import world
from tests.world import Person, Seller

Occasion = tuple[Any, dict[str, Any]]


class Occasions:
    """`make("open_bill")` is a fresh call of that step; `names` are the steps it knows."""

    def __init__(self) -> None:
        self.shop: Seller = world.seller(terminals=3)
        self.person = world.joined()
        self.payee = world.joined()
        world.fund(self.person, 10**9)
        self.merchant = self.shop.merchant
        self._makers: dict[str, Callable[[], Occasion]] = {
            "check_health": lambda: world.event("GET", "/v1/health"),
            "show_contract": lambda: world.event("GET", "/v1/openapi.json"),
            "register_device": self._register_device,
            "list_devices": lambda: world.event("GET", "/v1/devices", self.person),
            "remove_device": self._remove_device,
            "set_pin": self._set_pin,
            "list_wallets": lambda: world.event("GET", "/v1/wallets", self.person),
            "list_wallet_entries": lambda: world.event("GET", "/v1/wallets/USD/entries", self.person),
            "post_transfer": self._post_transfer,
            "get_transfer": self._get_transfer,
            "open_bill": self._open_bill,
            "list_bills": lambda: world.event("GET", "/v1/bills", self.person),
            "get_bill": self._get_bill,
            "add_items": self._add_items,
            "void_item": self._void_item,
            "dispute_item": self._dispute_item,
            "close_bill": self._close_bill,
            "verify_bill": self._verify_bill,
            "refund_items": self._refund_items,
            "create_merchant": lambda: self._as_admin("POST", "/v1/merchants", {"name": "Another shop"}),
            "get_merchant": lambda: self._as_admin("GET", f"/v1/merchants/{self.merchant}", query={"currency": "USD"}),
            "list_merchant_entries": lambda: self._as_admin("GET", f"/v1/merchants/{self.merchant}/entries"),
            "list_terminals": lambda: self._as_admin("GET", f"/v1/merchants/{self.merchant}/terminals"),
            "register_terminal": self._register_terminal,
            "revoke_terminal": self._revoke_terminal,
            "list_events": lambda: world.event("GET", "/v1/events", self.person),
        }
        self._bill: tuple[Person, str] | None = None

    @property
    def names(self) -> list[str]:
        return list(self._makers)

    def make(self, name: str) -> Occasion:
        return self._makers[name]()

    def taps(self, bill: str, number: int = 1) -> list[dict[str, Any]]:
        """Signed items of two lines, from the shop's terminals in turn."""
        lines = [("coffee", 2, 350), ("roll", 1, 180)]
        return [self.shop.tills[count % len(self.shop.tills)].item(bill, lines) for count in range(number)]

    def open(self, number: int = 1) -> tuple[Person, str]:
        """A bill with this many items, of a person of its own with enough money."""
        person = world.joined()
        world.fund(person, 10**6)
        bill = world.opened(person)
        if number:
            assert world.tap(person, bill, self.taps(bill, number)).status == 200
        return person, bill

    def close(self, number: int = 1) -> tuple[Person, str, str]:
        """A closed bill and the hash of its list."""
        person, bill = self.open(number)
        return person, bill, world.close(person, bill).body["verification"]["list_hash"]

    def add_items(self, number: int) -> Occasion:
        """A batch of this many taps into an empty bill."""
        person, bill = self.open(0)
        return self._on_phone("POST", f"/v1/bills/{bill}/items", person, {"items": self.taps(bill, number)})

    def verify_bill(self, number: int) -> Occasion:
        """The verification of a bill of this many items."""
        person, bill, list_hash = self.close(number)
        body = {"list_hash": list_hash, "pin": world.PIN}
        return self._on_phone("POST", f"/v1/bills/{bill}/verification", person, body)

    def _as_admin(self, method: str, path: str, body: Any = None, **options: Any) -> Occasion:
        return world.event(method, path, self.shop.admin, body, **options)

    def _on_phone(self, method: str, path: str, person: Person, body: Any = None) -> Occasion:
        return world.event(method, path, person, body, phone=person.phone)

    def _register_device(self) -> Occasion:
        person = Person()
        return world.event("POST", "/v1/devices", person, {"name": "phone", "jwk": person.phone.jwk})

    def _remove_device(self) -> Occasion:
        person = world.joined(pin=None)
        return world.event("DELETE", f"/v1/devices/{person.phone.device_id}", person)

    def _set_pin(self) -> Occasion:
        return world.event("PUT", "/v1/pin", world.joined(pin=None), {"pin": world.PIN})

    def _post_transfer(self) -> Occasion:
        amount = {"amount": 125, "currency": "USD"}
        body = {"to": self.payee.user_id, "amount": amount, "reason": "lunch", "pin": world.PIN}
        return world.event("POST", "/v1/transfers", self.person, body)

    def _get_transfer(self) -> Occasion:
        transfer = self._succeed(*self._post_transfer())["id"]
        return world.event("GET", f"/v1/transfers/{transfer}", self.person)

    def _open_bill(self) -> Occasion:
        person = world.joined(pin=None)
        return world.event("POST", "/v1/bills", person, {"device": person.phone.device_id, "currency": "USD"})

    def _add_items(self) -> Occasion:
        return self.add_items(1)

    def _void_item(self) -> Occasion:
        person, bill = self.open()
        return self._as_admin("DELETE", f"/v1/bills/{bill}/items/{self._item(person, bill)}")

    def _dispute_item(self) -> Occasion:
        person, bill = self.open()
        return world.event("POST", f"/v1/bills/{bill}/items/{self._item(person, bill)}/dispute", person)

    def _close_bill(self) -> Occasion:
        person, bill = self.open()
        return self._on_phone("POST", f"/v1/bills/{bill}/close", person)

    def _verify_bill(self) -> Occasion:
        return self.verify_bill(1)

    def _refund_items(self) -> Occasion:
        bill = self._succeed(*self.verify_bill(1))
        body = {"items": [bill["items"][0]["id"]], "reason": "cold coffee"}
        return self._as_admin("POST", f"/v1/bills/{bill['id']}/refunds", body)

    def _get_bill(self) -> Occasion:
        """A settled bill of ten items, by its owner."""
        if self._bill is None:
            person, bill, list_hash = self.close(10)
            assert world.verify(person, bill, list_hash).status == 200
            self._bill = (person, bill)
        return world.event("GET", f"/v1/bills/{self._bill[1]}", self._bill[0])

    def _register_terminal(self) -> Occasion:
        public_key = Till().public_key
        return self._as_admin("POST", "/v1/terminals", {"merchant": self.merchant, "public_key": public_key})

    def _revoke_terminal(self) -> Occasion:
        terminal = self._succeed(*self._register_terminal())["id"]
        return self._as_admin("DELETE", f"/v1/terminals/{terminal}")

    def _item(self, person: Person, bill: str) -> str:
        return str(world.call("GET", f"/v1/bills/{bill}", person).body["items"][0]["id"])

    def _succeed(self, step: Any, event: dict[str, Any]) -> Any:
        answer = step.handler(event, None)
        assert answer["statusCode"] < 300, answer
        return json.loads(answer["body"])
