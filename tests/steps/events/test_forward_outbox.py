"""What happened to users and merchants, told by the outbox: who hears of what, and what is not said (XX-03)."""

import json
import uuid
from typing import get_args

import pytest

from billfold.events import OutboxKind, outbox_rows
from infra.clients.phones import Till
from infra.operations import suspensions
from tests import world
from tests.cloud import delivery
from tests.world import PIN, Person, call

WRONG, OTHER = "618243", "482619"


@pytest.fixture
def heard(store, queues):
    """A function: a person's own feed, or their merchant's, as (type, about, data)."""

    def read(person, merchant=""):
        delivery.deliver(store, queues, twice=True)
        query = {"limit": "100"} | ({"merchant": merchant} if merchant else {})
        items = call("GET", "/v1/events", person, query=query).body["items"]
        return [(event["type"], event["about"], event["data"]) for event in items]

    return read


def change_pin(person, current, new):
    return call("PUT", "/v1/pin", person, {"pin": new, "current_pin": current})


def a_users_life():
    """A user who adds and removes a phone, changes the PIN and forgets it; with what there is to tell."""
    person = world.joined()
    tablet = world.joined(Person(person.sub), pin=None).phone.device_id
    call("DELETE", f"/v1/devices/{tablet}", person)
    assert change_pin(person, PIN, OTHER).status == 204
    for _ in range(3):
        assert change_pin(person, WRONG, PIN).status == 403
    user = person.user_id
    return person, [
        ("device.registered", person.phone.device_id, {}),
        ("pin.set", user, {}),
        ("device.registered", tablet, {}),
        ("device.removed", tablet, {}),
        ("pin.changed", user, {}),
        ("pin.wrong", user, {"tries_left": 2}),
        ("pin.wrong", user, {"tries_left": 1}),
        ("pin.locked", user, {"tries_left": 0}),
    ]


def a_merchants_life():
    """A merchant that operations make and suspend, with a terminal that comes and goes; with what there is to tell."""
    admin, operator = world.joined(pin=None), Person(groups=("operations",))
    merchant = call("POST", "/v1/merchants", operator, {"name": "Shop", "admin": admin.user_id}).body["id"]
    terminal = call("POST", "/v1/terminals", admin, {"merchant": merchant, "public_key": Till().public_key}).body["id"]
    call("DELETE", f"/v1/terminals/{terminal}", admin)
    for verb in ("suspend", "resume"):
        assert suspensions.decide(verb, merchant)
        assert suspensions.decide(verb, admin.user_id)
    owns = [
        ("device.registered", admin.phone.device_id, {}),
        ("merchant.created", merchant, {}),
        ("user.suspended", admin.user_id, {}),
        ("user.resumed", admin.user_id, {}),
    ]
    return (
        admin,
        owns,
        merchant,
        [
            ("merchant.created", merchant, {}),
            ("terminal.registered", terminal, {}),
            ("terminal.revoked", terminal, {}),
            ("merchant.suspended", merchant, {}),
            ("merchant.resumed", merchant, {}),
        ],
    )


def test_an_owner_hears_of_phones_and_pins(heard):
    """XX-03, VB-15: each once though everything is delivered twice, and what is said of one thing in its order."""
    person, expected = a_users_life()
    told = heard(person)
    assert sorted(told, key=repr) == sorted(expected, key=repr)
    for thing in {about for _, about, _ in expected}:
        assert [one for one in told if one[1] == thing] == [one for one in expected if one[1] == thing]


def test_a_wrong_pin_is_told_wherever_it_was_tried(heard, shop, cards):
    """VB-15: for a transfer, a bill and a card; a repeat of the same request is not another try and tells nothing."""
    person, card = cards.active()
    world.fund(person, 1000)
    bill = world.to_verify(person, (shop.tills[0], 300))
    body = {"to": shop.admin.user_id, "amount": {"amount": 1, "currency": "USD"}, "reason": "x", "pin": WRONG}
    key = str(uuid.uuid4())
    for _ in range(2):
        assert call("POST", "/v1/transfers", person, body, key=key).status == 403
    assert world.verify(person, bill["id"], bill["verification"]["list_hash"], WRONG).status == 403
    assert call("DELETE", f"/v1/cards/{card}", person, {"pin": WRONG}).status == 403
    told = [(kind, data) for kind, _, data in heard(person) if kind.startswith("pin.") and data]
    assert told == [
        ("pin.wrong", {"tries_left": 2}),
        ("pin.wrong", {"tries_left": 1}),
        ("pin.locked", {"tries_left": 0}),
    ]


def test_what_changes_nothing_tells_nothing(heard, store):
    """A known phone registered again, a repeat, a refusal, a second revocation."""
    seller = world.seller(terminals=1)
    person, till = seller.admin, seller.tills[0].terminal_id
    call("DELETE", f"/v1/terminals/{till}", person)
    before = heard(person), heard(person, seller.merchant)
    world.joined(person, pin=None)
    call("DELETE", f"/v1/terminals/{till}", person)
    assert change_pin(person, PIN, "111111").code == "pin_too_obvious"
    assert not suspensions.decide("resume", seller.merchant)
    assert (heard(person), heard(person, seller.merchant)) == before


def test_a_merchants_feed_has_its_terminals_and_suspensions(heard):
    """XX-03: its administrator hears that there is a merchant, also when operations made it."""
    admin, owns, merchant, merchants = a_merchants_life()
    assert sorted(heard(admin), key=repr) == sorted(owns, key=repr)
    told = heard(admin, merchant)
    assert sorted(told, key=repr) == sorted(merchants, key=repr)
    assert [kind for kind, about, _ in told if about == merchant] == [
        "merchant.created",
        "merchant.suspended",
        "merchant.resumed",
    ]


def test_the_outbox_knows_every_kind_and_nothing_secret(store):
    """CB-18, XX-03: each kind happens; no row has a PIN, its hash, a key or a name."""
    a_users_life(), a_merchants_life()
    rows = store.rows("outbox")
    assert {row["kind"]["S"] for row in rows} == set(get_args(OutboxKind))
    assert {name for row in rows for name in json.loads(row["facts"]["S"])} <= {"tries_left"}
    text = json.dumps(rows)
    assert not [word for word in (PIN, WRONG, OTHER, "argon2", "phone", "Corner shop") if f'"{word}"' in text]
    assert {field for row in rows for field in row} == set(outbox_rows.OutboxRow.get_attributes())
