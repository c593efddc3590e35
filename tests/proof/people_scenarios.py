"""Scenarios of people, their phones and PINs, merchants and terminals, and the gateway's own steps."""

from billfold.people import User, people_rows, pins
from billfold.tables.rows import fetch
from infra.clients.phones import Till
from tests import world
from tests.proof.harness import Harness, http
from tests.proof.plays import Occasion, Scenario
from tests.world import PIN, Person, call, joined

NEW_PIN = "482619"


def _devices(person: Person) -> list[str]:
    return [device["id"] for device in call("GET", "/v1/devices", person).body["items"]]


def _first_phone(harness: Harness) -> Occasion:
    person = Person()

    def effect() -> None:
        assert _devices(person) == [person.phone.device_id]

    body = {"name": "phone", "jwk": person.phone.jwk}
    return Occasion(http("POST", "/v1/devices", person, body, key="first"), effect)


def _known_phone(harness: Harness) -> Occasion:
    person = joined(pin=None)

    def effect() -> None:
        assert _devices(person) == [person.phone.device_id]

    body = {"name": "again", "jwk": person.phone.jwk}
    return Occasion(http("POST", "/v1/devices", person, body, key="again"), effect)


def _list_devices(harness: Harness) -> Occasion:
    person = joined(pin=None)
    return Occasion(http("GET", "/v1/devices", person), _nothing)


def _remove_device(harness: Harness) -> Occasion:
    person = joined(pin=None)

    def effect() -> None:
        assert _devices(person) == []

    return Occasion(http("DELETE", f"/v1/devices/{person.phone.device_id}", person), effect)


def _busy_device(harness: Harness) -> Occasion:
    person = joined(pin=None)
    world.opened(person)

    def effect() -> None:
        assert _devices(person) == [person.phone.device_id]

    return Occasion(http("DELETE", f"/v1/devices/{person.phone.device_id}", person), effect)


def _first_pin(harness: Harness) -> Occasion:
    person = joined(pin=None)
    return Occasion(http("PUT", "/v1/pin", person, {"pin": PIN}), lambda: _check_pin(person, PIN))


def _changed_pin(harness: Harness) -> Occasion:
    person = joined()
    body = {"pin": NEW_PIN, "current_pin": PIN}
    return Occasion(http("PUT", "/v1/pin", person, body), lambda: _check_pin(person, NEW_PIN))


def _wrong_current_pin(harness: Harness) -> Occasion:
    person = joined()
    body = {"pin": NEW_PIN, "current_pin": "618243"}
    return Occasion(http("PUT", "/v1/pin", person, body), lambda: _check_pin(person, PIN))


def _user(person: Person) -> User:
    found = fetch(people_rows.user(person.user_id))
    assert found
    return found


def _check_pin(person: Person, pin: str) -> None:
    """The stored hash is this PIN's."""
    user = _user(person)
    assert pins.matches(user.pin.hash, pin)


def _own_merchant(harness: Harness) -> Occasion:
    admin = joined(Person(groups=("merchant_admins",)), pin=None)
    return Occasion(
        http("POST", "/v1/merchants", admin, {"name": "Shop"}, key="shop"), lambda: _check_merchants(admin, 1)
    )


def _named_merchant(harness: Harness) -> Occasion:
    admin, operator = joined(pin=None), Person(groups=("operations",))
    body = {"name": "Shop", "admin": admin.user_id}
    return Occasion(http("POST", "/v1/merchants", operator, body, key="shop"), lambda: _check_merchants(admin, 1))


def _second_merchant(harness: Harness) -> Occasion:
    admin = world.seller(terminals=0).admin
    return Occasion(
        http("POST", "/v1/merchants", admin, {"name": "Second"}, key="shop"), lambda: _check_merchants(admin, 2)
    )


def _check_merchants(admin: Person, count: int) -> None:
    user = _user(admin)
    assert len(user.merchants) == count
    shown = [call("GET", f"/v1/merchants/{merchant}", admin).body["admin"] for merchant in user.merchants]
    assert shown == [admin.user_id] * count


def _get_merchant(harness: Harness) -> Occasion:
    shop = world.seller(terminals=0)
    return Occasion(http("GET", f"/v1/merchants/{shop.merchant}", shop.admin, query={"currency": "USD"}), _nothing)


def _list_merchant_entries(harness: Harness) -> Occasion:
    shop = world.seller(terminals=0)
    return Occasion(http("GET", f"/v1/merchants/{shop.merchant}/entries", shop.admin), _nothing)


def _list_terminals(harness: Harness) -> Occasion:
    shop = world.seller(terminals=2)
    return Occasion(http("GET", f"/v1/merchants/{shop.merchant}/terminals", shop.admin), _nothing)


def _register_terminal(harness: Harness) -> Occasion:
    shop, till = world.seller(terminals=0), Till()

    def effect() -> None:
        listed = call("GET", f"/v1/merchants/{shop.merchant}/terminals", shop.admin).body["items"]
        assert [terminal["public_key"] for terminal in listed] == [till.public_key]

    body = {"merchant": shop.merchant, "public_key": till.public_key}
    return Occasion(http("POST", "/v1/terminals", shop.admin, body, key="till"), effect)


def _revoke_terminal(harness: Harness) -> Occasion:
    shop = world.seller(terminals=1)

    def effect() -> None:
        listed = call("GET", f"/v1/merchants/{shop.merchant}/terminals", shop.admin).body["items"]
        assert "revoked_at" in listed[0]

    return Occasion(http("DELETE", f"/v1/terminals/{shop.tills[0].terminal_id}", shop.admin), effect)


def _health(harness: Harness) -> Occasion:
    return Occasion(http("GET", "/v1/health"), _nothing)


def _contract(harness: Harness) -> Occasion:
    return Occasion(http("GET", "/v1/openapi.json"), _nothing)


def _nothing() -> None:
    """A step that only reads has no effect to look for; that the tables stay as they were is compared anyway."""


ALL = (
    Scenario("check_health", "answers", _health),
    Scenario("show_contract", "answers", _contract),
    Scenario("register_device", "the first phone", _first_phone, 201),
    Scenario("register_device", "a phone that is known", _known_phone, 201),
    Scenario("list_devices", "one phone", _list_devices),
    Scenario("remove_device", "an idle phone", _remove_device, 204, again=(204, 404)),
    Scenario("remove_device", "a phone with an open bill", _busy_device, 409, again=(409,)),
    Scenario("set_pin", "the first", _first_pin, 204, again=(204, 400)),
    Scenario("set_pin", "another, with the current one", _changed_pin, 204, again=(204, 403)),
    Scenario("set_pin", "another, with a wrong one", _wrong_current_pin, 403, again=(403,)),
    Scenario("create_merchant", "one's own", _own_merchant, 201),
    Scenario("create_merchant", "another's, by operations", _named_merchant, 201),
    Scenario("create_merchant", "a second one", _second_merchant, 201),
    Scenario("get_merchant", "with its takings", _get_merchant),
    Scenario("list_merchant_entries", "an empty statement", _list_merchant_entries),
    Scenario("list_terminals", "two", _list_terminals),
    Scenario("register_terminal", "a new one", _register_terminal, 201),
    Scenario("revoke_terminal", "one in use", _revoke_terminal, 204, again=(204,)),
)
