"""Bad input: what a client may get wrong is a 4xx problem that says where, and changes nothing (LG-02, XX-02)."""

import base64
import json
import time
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from billfold.bills.taps import SignedItem
from billfold.errors import Invalid
from billfold.triggers import bodies as bodies_in
from tests import world
from tests.steps import bodies
from tests.steps.town import CALLS, Town, everything
from tests.world import ROUTES, Response, call, event

# What a bank has not signed is refused before it is read.
SIGNED = "POST /v1/banks/{bank}/callbacks"
TAKING = {
    f"{method} {path}": module
    for method, path, _, module in ROUTES
    if (method in ("POST", "PUT") or module.handler.body) and f"{method} {path}" != SIGNED
}


def send(route: str, town: Town, text: str | bytes) -> Response:
    """The route's call by someone entitled to it, with this text as its body."""
    person = town.people[CALLS[route].entitled]
    method, _, resource = route.partition(" ")
    path = resource.format(**CALLS[route].path(town))
    options: dict[str, Any] = {"phone": person.phone if person else None, "key": str(uuid.uuid4())}
    if isinstance(text, str):
        return call(method, path, person, raw=text, **options)
    step, sent = event(method, path, person, **options)
    answer = step.handler(sent | {"body": base64.b64encode(text).decode(), "isBase64Encoded": True}, None)
    return Response(answer["statusCode"], json.loads(answer["body"]), answer["headers"])


def faults(answer: Response, pointer: str | None, statuses: set[int]) -> list[str]:
    """What is wrong with the refusal itself."""
    found = []
    if answer.status not in statuses:
        return [f"status {answer.status}: {answer.body}"]
    if answer.headers["Content-Type"] != "application/problem+json":
        found.append("no problem+json")
    if not {"type", "title", "status", "detail", "code", "operations", "next", "instance", "pointer"} <= set(
        answer.body
    ):
        found.append(f"members {sorted(answer.body)}")
    elif pointer is not None and answer.body["pointer"] != pointer:
        found.append(f"points to {answer.body['pointer']!r}")
    return found


def wrong_bodies(route: str, town: Town) -> list[bodies.Broken]:
    """At least sixty for every route, with a model or without."""
    model = TAKING[route].handler.body
    if model is None:
        junk = [
            (f"field {value!r}", json.dumps({"field": value}), None) for value in (*range(20), None, "", [], {}, True)
        ]
        return [*bodies.texts(), *junk]
    one = CALLS[route]
    valid = one.body(town, town.people[one.entitled]) | one.more
    return list(bodies.of(model, valid))


@pytest.mark.parametrize("route", TAKING)
def test_every_wrong_body_is_a_problem_that_says_where_and_changes_nothing(store, village, route):
    """LG-02, XX-02: types, bounds, unknown and missing fields, NaN, duplicates, huge, nested, half characters."""
    sent = wrong_bodies(route, village)
    assert len(sent) >= 60
    before = everything(store)
    wrong = {
        what: found
        for what, text, pointer in sent
        if (found := faults(send(route, village, text), pointer, {400, 413, 422}))
    }
    assert wrong == {}
    assert everything(store) == before


def test_whatever_is_sent_without_a_banks_signature_is_refused_unread(store, village):
    """CB-14: 401, and no row changes."""
    before = everything(store)
    answers = [send(SIGNED, village, text) for _, text, _ in bodies.texts()]
    assert {(answer.status, answer.code) for answer in answers} == {(401, "callback_refused")}
    assert everything(store) == before


@pytest.mark.parametrize("raw", [b"\xff\xfe", b'{"a": "\xc3"}', b"\xed\xa0\x80", b"\x00", '{"a": 1}'.encode("utf-16")])
@pytest.mark.parametrize("route", TAKING)
def test_a_body_that_is_no_utf8_is_refused(store, village, route, raw):
    """XX-02: also when the gateway hands it over in base64."""
    assert faults(send(route, village, raw), None, {400}) == []


@pytest.mark.parametrize("route", [route for route in TAKING if TAKING[route].handler.body])
@pytest.mark.parametrize("text", ["", " ", "\n", "{}", "\ufeff{}"])
def test_nothing_is_not_a_body(store, village, route, text):
    """XX-02: a step with a model wants an object with its fields."""
    assert faults(send(route, village, text), None, {400}) == []


def test_a_body_may_be_64_kib_and_no_more(village):
    """The bound is on bytes, not on characters; larger is 413."""
    start, end = '{"name": "x", "jwk": {"kty": "', '"}}'
    for filler in ("x", "é"):
        fitting = start + filler * ((65_536 - len(start) - len(end)) // len(filler.encode())) + end
        assert send("POST /v1/devices", village, fitting).status == 400
        answer = send("POST /v1/devices", village, fitting + "  ")
        assert (answer.status, answer.code) == (413, "request_too_large")


@pytest.mark.parametrize("currency", ["EUR", "JPY"])
def test_an_amount_in_another_currency_than_the_bills_is_refused(village, currency):
    """VB-10, VB-19: a pointer to the currency."""
    body = {"device": village.owner.phone.device_id, "currency": "USD", "cap": {"amount": 5, "currency": currency}}
    device = world.joined(world.Person(village.owner.sub), pin=None).phone.device_id
    answer = call("POST", "/v1/bills", village.owner, body | {"device": device})
    assert (answer.status, answer.body["pointer"]) == (400, "/cap/currency")


def test_a_malformed_item_is_refused_itself_and_the_rest_of_the_batch_lands(village):
    """VB-11: each with a pointer below its own place in the batch."""
    person, till = world.joined(pin=None), village.shop.tills[0]
    bill = world.opened(person)
    valid = till.item(bill, [("tea", 1, 150), ("cake", 2, 400)])
    unfit = list(bodies.of(SignedItem, valid))[len(list(bodies.texts())) :]
    fit_for_json = [
        (what, json.loads(text), pointer)
        for what, text, pointer in unfit
        if pointer and not what.endswith(("twice", "1e400")) and len(text) < 2_000
    ]
    assert len(fit_for_json) >= 60
    landed = 0
    for start in range(0, len(fit_for_json), 25):
        batch = fit_for_json[start : start + 25]
        good = till.item(bill, [("bun", 1, 100)])
        answer = world.tap(person, bill, [*(item for _, item, _ in batch), good])
        assert answer.status == 200, answer.body
        *refused, last = answer.body["results"]
        assert last["outcome"] == "added"
        landed += 1
        for number, ((what, _, pointer), result) in enumerate(zip(batch, refused, strict=True)):
            assert result["outcome"] == "refused", what
            assert (what, result["problem"]["code"]) == (what, "invalid")
            assert (what, result["problem"]["pointer"]) == (what, f"/items/{number}{pointer}")
    assert len(world.shown(person, bill)["items"]) == landed


def test_a_number_beyond_all_bounds_refuses_its_item(village):
    """LG-02: 1e400 is JSON, and no integer."""
    person = world.joined(pin=None)
    bill = world.opened(person)
    item = json.dumps(village.shop.tills[0].item(bill, [("tea", 1, 150)])).replace('"amount": 150', '"amount": 1e400')
    answer = call("POST", f"/v1/bills/{bill}/items", person, raw=f'{{"items": [{item}]}}', phone=person.phone)
    assert answer.body["results"][0]["problem"]["pointer"] == "/items/0/amount"


@pytest.mark.parametrize("item", [None, 5, "item", [], True, 1.5, {}, [{}], ""])
def test_what_is_no_item_at_all_is_refused_itself(village, item):
    """VB-11: in the order given, the good one beside it lands."""
    person = world.joined(pin=None)
    bill = world.opened(person)
    answer = world.tap(person, bill, [item, village.shop.tills[0].item(bill, [("bun", 1, 100)])])
    assert [result["outcome"] for result in answer.body["results"]] == ["refused", "added"]
    assert answer.body["results"][0]["problem"]["pointer"].startswith("/items/0")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/bills/bil%20x"),
        ("GET", "/v1/bills/" + "x" * 65),
        ("DELETE", "/v1/devices/..%2f"),
        ("GET", "/v1/merchants/mér"),
        ("GET", "/v1/transfers/a'b"),
        ("GET", "/v1/cards/crd_4000001000000018000000"),
        ("GET", "/v1/cards/crd_4000001000000018"),
        ("GET", "/v1/cards/crd_" + "G" * 32),
        ("GET", "/v1/cards/crd_" + "0" * 33),
        ("GET", "/v1/cards/crd_" + "0" * 43),
        ("GET", "/v1/bills/bil_" + "0" * 31),
        ("DELETE", "/v1/devices/dev_" + "0" * 32),
        ("DELETE", "/v1/devices/dev_" + "0" * 44),
    ],
)
def test_a_path_that_names_nothing_possible_is_not_found(village, method, path, capsys):
    """XX-05, F15: without asking any table, and nothing of it is logged (CB-18): an id has exactly the shape of its kind."""
    capsys.readouterr()
    assert call(method, path, village.owner).code == "not_found"
    assert path.split("/")[3] not in capsys.readouterr().out


def test_repeated_names_are_found_in_linear_time(village):
    """G40: 64 KiB of names once took seconds of a function that anybody may call."""
    names = ", ".join(f'"{number}": 1' for number in range(6_000))
    text = "{" + names + ', "5999": 2}'
    assert len(text) < 65_536
    started = time.process_time()
    for _ in range(5):
        assert faults(send("POST /v1/merchants", village, text), None, {400}) == []
    assert time.process_time() - started < 1


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")])
def test_a_body_has_32_levels_at_most(opening, closing):
    """G40: as the guide says, whatever the parser could bear."""
    assert bodies_in.parse(opening * 32 + "1" + closing * 32)
    for levels in (33, 1_000, 10_000):
        with pytest.raises(Invalid, match="invalid") as refusal:
            bodies_in.parse(opening * levels + "1" + closing * levels)
        assert "nested too deeply" in refusal.value.problem()["detail"]


def text_fields(value: Any, at: str = "") -> Iterator[str]:
    """The pointers of all texts in a body."""
    if isinstance(value, str):
        yield at
    for name, part in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from text_fields(part, f"{at}/{name}")


@pytest.mark.parametrize("route", [route for route in TAKING if TAKING[route].handler.body])
def test_no_value_that_was_sent_is_said_again(village, route, capsys):
    """F14, CB-18: a card number in any field, of any type, in an array or as a name: neither in the answer nor in the log."""
    canary, person = "4000001000000018", village.people[CALLS[route].entitled]
    valid = CALLS[route].body(village, person)
    capsys.readouterr()
    for pointer in text_fields(valid):
        for wrong in (canary, f"{canary}\\n", [canary], {canary: canary}, f"crd_{canary}", int(canary), f"<{canary}>"):
            answer = send(route, village, json.dumps(bodies._with(valid, pointer, wrong)))
            if pointer.endswith(("/number", "/document_number")) and answer.status < 300:
                continue
            assert canary not in json.dumps(answer.body) or answer.status < 400, (pointer, wrong)
    assert canary not in capsys.readouterr().out


@pytest.mark.parametrize("digits", ["0123456789", "٠١٢٣٤٥٦٧٨٩", "０１２３４５６７８９", "𝟎𝟏𝟐𝟑𝟒𝟓𝟔𝟕𝟖𝟗", "⓪①②③④⑤⑥⑦⑧⑨"])
def test_a_name_in_whatever_digits_is_not_said_again(village, digits):
    """F14, CB-18: of a field, of one that comes twice, and of a parameter of the query."""
    name, route = "4000001000000018".translate(str.maketrans("0123456789", digits)), "POST /v1/merchants"
    answers = [
        send(route, village, text) for text in (f'{{"name": "a", "{name}": 1}}', f'{{"{name}": 1, "{name}": 2}}')
    ]
    answers.append(call("GET", "/v1/bills", village.owner, query={name: "1"}))
    assert [answer.code for answer in answers] == ["invalid"] * 3
    assert name not in json.dumps([answer.body for answer in answers], ensure_ascii=False)


@pytest.mark.parametrize("constant", ["NaN", "Infinity", "-Infinity"])
@pytest.mark.parametrize(
    ("route", "text"),
    [
        ("POST /v1/bills/{bill}/items", '{"items": [{"amount": %s}]}'),
        ("POST /v1/devices", '{"name": "phone", "jwk": {"kty": "OKP", "more": %s}}'),
    ],
)
def test_what_is_no_number_is_found_where_no_model_looks(store, village, route, text, constant):
    """XX-02: an item judged by itself and a key are taken as they are, so that the reader of JSON must refuse it."""
    before = everything(store)
    answer = send(route, village, text % constant)
    assert (answer.status, answer.code) == (400, "invalid")
    assert constant in answer.body["detail"]
    assert everything(store) == before
