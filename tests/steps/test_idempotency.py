"""Idempotency-Key on every POST with effect (LG-10): missing, reused, repeated, whose it is, how long it is kept."""

import json
import uuid
from typing import Any

import pytest
from hypothesis import given, settings
from msgspec import inspect

from billfold.clock import HOUR, SECOND, now
from billfold.triggers import fingerprints
from infra.plan.tables import TABLES as TABLE_DEFINITIONS
from tests import world
from tests.steps import values
from tests.steps.town import CALLS, TABLES, Town, everything, move_on
from tests.world import PIN, ROUTES, STEPS, Person, call, event

# A bank's callback carries the same word however often it comes: its signature names it, not a key of ours.
WITHOUT_KEY = {"POST /v1/banks/{bank}/callbacks"}
POSTS = [f"{method} {path}" for method, path, _, module in ROUTES if method == "POST" and module.handler.key]
ALL = {f"{method} {path}": module for method, path, _, module in ROUTES}
WITH_BODY = [route for route in POSTS if ALL[route].handler.body]
# Values tried in each field, each a call that is refused.
EXAMPLES = 6
MARKS = ("never", "compared", "sealed")


def prepared(route: str, town: Town) -> tuple[Any, dict[str, Any]]:
    """The step and one event of a POST with effect, to be handed in as often as a test wants."""
    person = town.people[CALLS[route].entitled]
    method, _, resource = route.partition(" ")
    parameters, body, _ = CALLS[route].arguments(town, person)
    return event(method, resource.format(**parameters), person, body, phone=person.phone if person else None)


def send(step: Any, sent: dict[str, Any], **headers: str) -> dict[str, Any]:
    """The raw answer, without the id of its request."""
    sent = sent | {"headers": sent["headers"] | headers, "requestContext": sent["requestContext"] | {"requestId": "r"}}
    answer: dict[str, Any] = step.handler(sent, None)
    return answer


def test_every_post_asks_for_a_key():
    """LG-10: but for what carries a name of its own."""
    posts = {f"{method} {path}" for method, path, _, _ in ROUTES if method == "POST"}
    assert posts - set(POSTS) == WITHOUT_KEY


@pytest.mark.parametrize("key", ["", "with space", "Ümlaut", "k" * 256, "line\nbreak"])
@pytest.mark.parametrize("route", POSTS)
def test_a_post_without_a_proper_key_does_nothing(store, village, route, key):
    """LG-10: 1 to 255 visible ASCII characters, or 400."""
    step, sent = prepared(route, village)
    before = everything(store)
    answer = send(step, sent, **{"Idempotency-Key": key})
    assert (answer["statusCode"], json.loads(answer["body"])["code"]) == (400, "idempotency_key_missing")
    assert everything(store) == before


@pytest.mark.parametrize("route", POSTS)
def test_a_repeat_gets_the_first_answer_byte_for_byte_though_the_world_moved_on(store, town, route):
    """LG-10: status, headers and body, and no row changes."""
    step, sent = prepared(route, town)
    first = send(step, sent)
    assert first["statusCode"] in (200, 201, 202), first
    move_on(town)
    before = everything(store)
    assert send(step, sent) == first
    assert everything(store) == before


# Nothing derived from a PIN is stored, so it is the one thing that two requests under one key may differ in.
FIELDS = [
    (route, pointer, shape)
    for route in WITH_BODY
    for model in [ALL[route].handler.body]
    for pointer, shape in values.fields(model)
    if pointer[1:] not in fingerprints.marked(model, "never")
]


@pytest.mark.parametrize(("route", "pointer", "shape"), [pytest.param(*one, id=f"{one[0]} {one[1]}") for one in FIELDS])
def test_the_same_key_with_another_value_in_any_field_is_refused(store, town, route, pointer, shape):
    """LG-10, C14, F20: 422 for every field of every body but a PIN, whatever else it says, and the first operation stands."""
    step, sent = prepared(route, town)
    body = json.loads(sent["body"])
    parent = pointer[1:].rpartition("/")[0]
    if parent and parent not in body:
        body[parent] = {"amount": 7, "currency": "USD"}
    assert send(step, sent | {"body": json.dumps(body)})["statusCode"] < 300
    before = everything(store)

    @settings(max_examples=EXAMPLES)
    @given(values.bodies(body, pointer, shape))
    def is_refused(other: dict[str, Any]) -> None:
        answer = send(step, sent | {"body": json.dumps(other)})
        assert (answer["statusCode"], json.loads(answer["body"])["code"]) == (422, "idempotency_key_reused")

    is_refused()
    assert everything(store) == before


def test_marks_of_fields_stand_where_they_are_looked_for():
    """CB-18: on the fields of a body itself, not deeper; and these are all that a fingerprint leaves out or seals."""
    bodies = [module.handler.body for module in ALL.values() if module.handler.body]
    found = {mark: {name for body in bodies for name in fingerprints.marked(body, mark)} for mark in MARKS}
    assert found == {"never": {"pin", "current_pin"}, "compared": {"number"}, "sealed": {"code", "person"}}
    within = {
        one.cls
        for body in bodies
        for _, shape in values.fields(body)
        for one in values.alternatives(shape)
        if isinstance(one, inspect.StructType)
    }
    deeper = {model.__name__ for model in within for mark in MARKS if fingerprints.marked(model, mark)}
    assert not deeper, "mark the body's own field, which holds these"


def test_a_fingerprint_of_a_code_cannot_be_guessed_from_the_key(town):
    """F20, CB-18: six digits are a million tries, unless the stage's secret is needed for each."""
    guesses = {fingerprints.of("key", {"code": f"{number:06}"}, dict) for number in (0, 123456)}
    assert fingerprints.of("key", {"code": "123456"}, STEPS["answer_challenge"].handler.body) not in guesses


@pytest.mark.parametrize("route", WITH_BODY)
def test_fields_in_another_order_are_the_same_body(town, route):
    """LG-10: what counts is what was said, not how it was spelt."""
    step, sent = prepared(route, town)
    first = send(step, sent)
    turned = dict(reversed(json.loads(sent["body"]).items()))
    assert send(step, sent | {"body": json.dumps(turned, indent=1)}) == first


def test_a_key_belongs_to_its_caller(alice, visitor):
    """LG-10: two people may choose the same key."""
    key = str(uuid.uuid4())
    for person in (alice, visitor):
        body = {"device": person.phone.device_id, "currency": "USD"}
        assert call("POST", "/v1/bills", person, body, key=key).status == 201


def test_a_key_belongs_to_its_route(visitor):
    """LG-10: the same key may open a bill, close it and register a phone."""
    key = str(uuid.uuid4())
    body = {"device": visitor.phone.device_id, "currency": "USD"}
    bill = call("POST", "/v1/bills", visitor, body, key=key).body["id"]
    assert world.close(visitor, bill, key=key).body["state"] == "expired_empty"
    assert call("POST", "/v1/devices", visitor, {"name": "x", "jwk": world.Phone().jwk}, key=key).status == 201


def test_a_key_belongs_to_its_path(visitor):
    """LG-10: closing another bill with the same key closes the other bill."""
    key = str(uuid.uuid4())
    for _ in range(2):
        assert world.close(visitor, world.opened(visitor), key=key).status == 200


def test_a_repeated_wrong_pin_counts_once(town):
    """VB-15: and it gets the first answer, even with the right PIN, which is no part of the fingerprint."""
    bill, key = town.closed, str(uuid.uuid4())
    hash = bill["verification"]["list_hash"]
    answers = [world.verify(town.owner, bill["id"], hash, pin=pin, key=key) for pin in ("000001", "000001", PIN)]
    assert {(answer.status, answer.code, answer.body["tries_left"]) for answer in answers} == {(403, "pin_wrong", 2)}
    assert {answer.headers["Content-Type"] for answer in answers} == {"application/problem+json"}
    assert all(answer.body["instance"].endswith(answer.headers["Request-Id"]) for answer in answers)
    assert world.shown(town.owner, bill["id"])["verification"]["tries_left"] == 2
    assert world.verify(town.owner, bill["id"], hash).status == 200


def test_a_refusal_without_effect_is_judged_anew(visitor):
    """LG-10: the rule may say yes later, under the same key."""
    key, tablet = str(uuid.uuid4()), Person(visitor.sub)
    body = {"device": tablet.phone.device_id, "currency": "USD"}
    assert call("POST", "/v1/bills", tablet, body, key=key).code == "not_found"
    world.joined(tablet, pin=None)
    assert call("POST", "/v1/bills", tablet, body, key=key).status == 201


def test_records_are_kept_for_two_days(store, visitor):
    """LG-10: at least 24 hours; transfers and bills' changes, which are records too, are never deleted."""
    known = {row["pk"]["S"] for row in store.rows("operations")}
    world.opened(visitor)
    records = [row for row in store.rows("operations") if row["pk"]["S"] not in known]
    assert len(records) == 1
    for record in records:
        kept = int(record["expires_at"]["N"]) - now() // SECOND
        assert 47 * HOUR // SECOND < kept <= 48 * HOUR // SECOND
    kept_for_ever = ("ledger", "bills", "people", "merchants")
    assert not {table.name for table in TABLE_DEFINITIONS if table.ttl} & set(kept_for_ever)


def test_the_key_itself_is_stored_nowhere(store, town):
    """LG-10: ids are derived from it and fingerprints keyed by it, so a stored one cannot be guessed back."""
    key = f"secret-{uuid.uuid4()}"
    for route in POSTS:
        step, sent = prepared(route, town)
        send(step, sent, **{"Idempotency-Key": key})
    assert not [table for table in TABLES for row in store.rows(table) if key in json.dumps(row, default=str)]
