"""What streams' steps send and what they get past: A1 and A4 of the faults of the field."""

import json
import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from billfold.errors import Busy, Unavailable
from billfold.events import Event, event_rows
from billfold.triggers import queue
from billfold.triggers.queue import Message
from tests import world
from tests.cloud import delivery
from tests.cloud.queues import bodies
from tests.proof.wire import ALWAYS, Wire
from tests.world import STEPS, call

CLEAN = {"batchItemFailures": []}
FORWARDING = sorted(delivery.STREAMS.items())
# All of Unicode, what no encoding knows included: rows can hold any text that was stored before the wire's rule.
texts = st.text(st.characters(codec=None), max_size=30)


def accepted(body: str) -> bool:
    """Whether SQS takes a text: #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF, and not nothing."""
    points = [ord(letter) for letter in body]
    return bool(points) and all(
        point in (0x9, 0xA, 0xD) or 0x20 <= point <= 0xD7FF or 0xE000 <= point <= 0xFFFD or point >= 0x10000
        for point in points
    )


def row(table: str, **columns: str | int) -> dict:
    """An inserted row as the table's stream tells it."""
    image = {name: {"N": str(part)} if isinstance(part, int) else {"S": part} for name, part in columns.items()}
    keys = {name: image[name] for name in ("pk", "sk")}
    told = {"Keys": keys, "NewImage": image, "SequenceNumber": "1"}
    return {"eventName": "INSERT", "eventSourceARN": delivery.source(table), "dynamodb": told}


def records(table: str, store) -> list[dict]:
    """The inserts of a small world: a bill's life, a card's, and the transfers and charges of both."""
    return [one for one in delivery.records(store, table) if one["eventName"] == "INSERT"]


# ----------------------------------------------------------------------------------------------------- what SQS accepts


@pytest.mark.parametrize("point", [0x0, 0x7F, 0x85, 0xD800, 0xDFFF, 0xFDD0, 0xFFFE, 0xFFFF, 0x1FFFE, 0x10FFFF, 0x202E])
def test_no_letter_makes_a_message_that_sqs_refuses(queues, point):
    """A1: the two that stopped everybody's statements, and their like."""
    test_no_text_makes_a_message_that_sqs_refuses.hypothesis.inner_test(queues, chr(point))


@settings(max_examples=300, suppress_health_check=list(HealthCheck))
@given(texts)
def test_no_text_makes_a_message_that_sqs_refuses(queues, text):
    """A1: neither as an event's nor as that of a transfer, of which only the id is sent."""
    event = Event("bil_1/1", "usr_1", text, text, 1, {text: text, "list": [text, {"deep": text}]})
    assert accepted(event_rows.encode(event))
    legs = json.dumps([["wallet/usr_1/USD", -5], ["wallet/usr_2/USD", 5]])
    old = row("ledger", pk="trf_1", sk="transfer", legs=legs, at=1, reason=text, kind="transfer")
    with Wire(lambda *_: {}, times=ALWAYS) as wire:
        assert STEPS["forward_transfers"].handler({"Records": [old]}, None) == CLEAN
    sent = [entry["MessageBody"] for one in wire.calls for entry in one.arguments["Entries"]]
    assert len(sent) == 4
    assert all(accepted(body) for body in sent)


@settings(max_examples=300)
@given(texts)
def test_an_event_survives_its_message_unless_no_table_could_hold_it(text):
    """XX-03: every text that UTF-8 knows comes out as it went in."""
    event = Event("bil_1/1", "usr_1", text, text, 1, {"text": text})
    storable = not any(0xD800 <= ord(letter) <= 0xDFFF for letter in text)
    assert event_rows.decode(event_rows.encode(event)) == (event if storable else None)


def test_a_statement_goes_on_whatever_a_transfer_s_reason_says(store, queues, alice, visitor):
    """A1, LG-09: text that SQS refuses, stored before the wire had a rule, is a line like others."""
    legs = [(f"wallet/{alice.user_id}/USD", -5), (f"wallet/{visitor.user_id}/USD", 5)]
    item = {
        "pk": "trf_old",
        "sk": "transfer",
        "legs": json.dumps(legs),
        "at": 5,
        "reason": "\uffff\ufffe\x01",
        "kind": "transfer",
    }
    store.client.put_item(TableName="billfold-ledger", Item=row("ledger", **item)["dynamodb"]["NewImage"])
    world.fund(visitor, 300)
    delivery.deliver(store, queues, twice=True)
    lines = call("GET", "/v1/wallets/USD/entries", visitor, query={"order": "oldest"}).body["items"]
    assert sorted((line["amount"], line["reason"]) for line in lines) == [(5, "\uffff\ufffe\x01"), (300, "top-up")]


# -------------------------------------------------------------------------------------------------------- poison records

POISON = {
    "bills": [
        {"kind": "a newer writer's", "facts": "{}", "user": "usr_1", "state": "new", "currency": "USD", "total": 1},
        {"kind": "closed", "facts": "no JSON", "user": "usr_1", "state": "verifying", "currency": "USD", "total": 1},
        {"kind": "closed"},
    ],
    "cards": [
        {"kind": "a newer writer's", "facts": "{}", "user": "usr_1", "state": "created"},
        {"kind": "bound", "facts": "[]", "user": "usr_1", "state": "created"},
    ],
    "charges": [
        {"kind": "a newer writer's", "facts": "{}", "user": "usr_1", "purpose": "top_up", "state": "settling"},
        {"kind": "settled", "facts": "{}", "user": "usr_1", "purpose": "top_up", "state": "settled"},
    ],
    "ledger": [
        {"sk": "transfer", "legs": "no JSON", "at": 1, "reason": "x"},
        {"sk": "transfer", "legs": '[["moon/usr_1/USD",-5],["moon/usr_2/USD",5]]', "at": 1, "reason": "x"},
        {"sk": "transfer"},
    ],
    "outbox": [
        {"kind": "pin.set", "about": "usr_1", "at": 1, "facts": "no JSON", "expires_at": 1},
        {"kind": "pin.set", "about": "usr_1"},
    ],
}


def test_every_stream_is_poisoned_here():
    """A new stream gets its own kinds of records that nobody can understand."""
    assert set(POISON) >= set(delivery.STREAMS)


@pytest.mark.parametrize(("table", "step"), FORWARDING)
def test_a_record_that_nobody_understands_is_laid_aside_and_the_others_go_on(store, queues, alice, shop, table, step):
    """A1: kinds that only a newer writer knows among them; its keys tell which it was, and nothing of what it held."""
    world.settled(alice, (shop.tills[0], 300))
    bad = [row(table, **{"pk": f"bad_{n}", "sk": "00000001"} | columns) for n, columns in enumerate(POISON[table])]
    good = records(table, store)
    assert STEPS[step].handler({"Records": good}, None) == CLEAN
    names = ("feeds", "statements", "authentications", "charges")
    expected = {name: sorted(bodies(queues, name)) for name in names}
    mixed = [*good, *bad]
    random.shuffle(mixed)
    assert STEPS[step].handler({"Records": mixed}, None) == CLEAN
    assert {name: sorted(bodies(queues, name)) for name in names} == expected
    dead = [json.loads(body) for body in bodies(queues, "streams-dead")]
    assert all(set(one) == {"step", "table", "pk", "sk", "fault"} for one in dead)
    assert sorted((one["step"], one["table"], one["pk"]) for one in dead) == [
        (step, table, f"bad_{n}") for n in range(len(bad))
    ]


@pytest.mark.parametrize("fails", ["refused", "away"])
def test_when_a_queue_is_away_the_whole_batch_comes_again(store, queues, alice, shop, fails):
    """A1: SQS is no record's fault, so nothing is laid aside, and nothing that stood behind overtakes it."""
    world.settled(alice, (shop.tills[0], 300))
    batch = {"Records": records("bills", store)}

    def fail(client, action, arguments, send):
        if fails == "refused":
            return {"Failed": [{"Id": "0", "SenderFault": False, "Code": "InternalError"}]}
        raise client.exceptions.from_code("ServiceUnavailable")({"Error": {"Code": "ServiceUnavailable"}}, action)

    with Wire(fail, times=ALWAYS), pytest.raises((Busy, Unavailable)):
        STEPS["forward_bill_changes"].handler(batch, None)
    assert list(bodies(queues, "feeds")) == list(bodies(queues, "streams-dead")) == []
    assert STEPS["forward_bill_changes"].handler(batch, None) == CLEAN
    delivery.drain(queues)
    assert len(call("GET", "/v1/events", alice).body["items"]) == 4


# ------------------------------------------------------------------------------------------------------- order per thing

things = st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from("xyz")), max_size=60)


@settings(max_examples=100, suppress_health_check=list(HealthCheck))
@given(things, st.randoms(use_true_random=False))
def test_what_is_told_of_a_thing_keeps_its_order_however_batches_are_taken(queues, told, chance):
    """A4: SQS takes any part of a batch, or does and its answer is lost; the stream sends all of it again until it is all there."""
    messages = [Message("feeds", str(number), log=log, thing=thing) for number, (log, thing) in enumerate(told)]
    arrived: dict[str, str] = {}

    def take_some(client, action, arguments, send):
        taken = [entry for entry in arguments["Entries"] if chance.random() < 0.7]
        for entry in taken:
            arrived.setdefault(entry["MessageDeduplicationId"], entry["MessageBody"])
        if len(taken) < len(arguments["Entries"]) or chance.random() < 0.2:
            return {"Failed": [{"Id": "0", "SenderFault": False, "Code": "InternalError"}]}
        return {}

    def sent_all() -> bool:
        try:
            return queue.send_all(messages) == len(messages)
        except Busy:
            return False

    with Wire(take_some, times=ALWAYS):
        assert any(sent_all() for _ in range(100_000))
    for thing in {(message.log, message.thing) for message in messages}:
        sent = [message.body for message in messages if (message.log, message.thing) == thing]
        assert [body for body in arrived.values() if body in sent] == sent


def test_a_bill_s_events_are_read_in_the_order_in_which_it_changed(store, queues, alice, shop):
    """A4, XX-03: also when its stream comes again and again in parts."""
    bill = world.settled(alice, (shop.tills[0], 300), (shop.tills[1], 200))
    told = records("bills", store)
    for first in (0, 0, 2, 1, 3, 0):
        STEPS["forward_bill_changes"].handler({"Records": told[first:]}, None)
        delivery.drain(queues, twice=True)
    kinds = {}
    for reader, query in ((alice, None), (shop.admin, {"merchant": shop.merchant})):
        events = call("GET", "/v1/events", reader, query=query).body["items"]
        kinds[reader.user_id] = [one["type"] for one in events if one["about"] == bill["id"]]
    assert kinds == {
        alice.user_id: ["bill.opened", "bill.items_added", "bill.verification_requested", "bill.settled"],
        shop.admin.user_id: ["bill.items_added", "bill.settled"],
    }


def test_a_busy_audience_has_every_event_once_and_no_dead_letter(store, queues, shop):
    """A4: many bills tap one seller at once; its feed has one writer at a time, so it loses no race."""
    people = [world.joined(pin=None) for _ in range(25)]
    bills = [world.opened(person) for person in people]
    for person, bill in zip(people, bills, strict=True):
        world.tap(person, bill, [shop.tills[0].item(bill, [("Tea", 1, 210)])])
    delivery.deliver(store, queues, twice=True)
    listed, after = [], ""
    while page := call(
        "GET", "/v1/events", shop.admin, query={"merchant": shop.merchant, "limit": "10", **after_of(after)}
    ).body:
        listed += page["items"]
        if "next" not in page:
            break
        after = page["next"]
    assert sorted(event["about"] for event in listed if event["about"] in bills) == sorted(bills)
    assert list(bodies(queues, "feeds-dead")) == []


def after_of(after: str) -> dict[str, str]:
    return {"after": after} if after else {}
