"""Nothing of a card comes to rest anywhere but sealed (CB-18, CB-19): canaries go every way there is, then all is searched.

The one place where a number, a code, a document's end or a phone may be seen is what the bank itself is asked, over HTTP.
A new way for a card to go is a new line in FLOWS; a new place where something can rest is a new kind in `tests/proof/sinks.py`.
"""

import json
import os
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime

import boto3
import pytest
import time_machine
import urllib3

from billfold import ids
from billfold.triggers import http, log, queue, workflow
from infra.plan.queues import queue_name, queue_names
from infra.plan.tables import TABLES
from tests import world
from tests.cloud import delivery, queues
from tests.cloud.local_http import LocalServer
from tests.proof import canaries, card_flows
from tests.proof.card_flows import RECEPTIONS, Brisk, Town
from tests.proof.harness import Harness, set_up
from tests.proof.sinks import ALLOWED, Sinks
from tests.world import card_world
from tests.world.machines import Execution, Machines

BIRDS = canaries.flock()
TROUBLES = [(action, fault) for action, found in card_flows.FAULTS.items() for fault in found]
DISTURBED = canaries.covey("disturbed", len(TROUBLES))
LIVES = [bird for bird in BIRDS if bird.behaviour != "typed"]
# A flow, and the canaries that go through it.
FLOWS = [
    *((card_flows.refused, bird) for bird in BIRDS[::3]),
    *((card_flows.forged_callbacks, bird) for bird in BIRDS[:2]),
    *((card_flows.life, bird) for bird in LIVES),
    *(
        (card_flows.cancelled, bird)
        for bird in BIRDS
        if bird.behaviour in ("challenged", "late", "silent", "told_early")
    ),
    *(
        (card_flows.five_wrong_codes, bird)
        for bird in BIRDS
        if bird.behaviour in ("typed", "challenged", "code_answer_lost")
    ),
    *(
        (card_flows.without_a_bank, bird)
        for bird in BIRDS
        if bird.behaviour in ("approved", "challenged", "charge_lost")
    ),
    *((card_flows.disturbed(*trouble), bird) for trouble, bird in zip(TROUBLES, DISTURBED, strict=True)),
    *((card_flows.resealed, bird) for bird in BIRDS if bird.behaviour in ("approved", "without_funds")),
    *((card_flows.reconciled, bird) for bird in BIRDS[:1]),
    *((card_flows.photographed, bird) for bird in BIRDS[:2]),
]
KINDS = [
    *(f"table {table.name}" for table in TABLES),
    *("writes", "messages sent", "messages at rest", "told to machines", "told to KMS", "histories", "objects", "logs"),
    *("answers", "answers over HTTP", "callbacks", "addresses and headers", "exceptions"),
]
# What no flow of this file leaves anything in.
EMPTY = {"objects"}
# The tables of other workflows may stay empty; these hold what the flows do.
OURS = {
    "ledger",
    "statements",
    "people",
    "merchants",
    "bills",
    "cards",
    "vault",
    "charges",
    "photos",
    "events",
    "outbox",
}
OTHERS = {f"table {table.name}" for table in TABLES if table.name not in {*OURS, "operations", "sandbox_bank"}}


def make_dead_letter_queues(client) -> None:
    """As the template makes them: what was received five times rests in a queue of its own."""
    for name in queue_names(sandbox_bank=True):
        full_name = queue_name("billfold", f"{name}-dead")
        fifo = {"FifoQueue": "true"} if full_name.endswith(".fifo") else {}
        dead = client.create_queue(QueueName=full_name, Attributes=fifo)["QueueUrl"]
        arn = client.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        policy = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": RECEPTIONS})
        client.set_queue_attributes(QueueUrl=queues.address(name), Attributes={"RedrivePolicy": policy})


@pytest.fixture(scope="module")
def ground(engine) -> Iterator[Harness]:
    """Tables and queues, two generations of the vault's keys, and a bucket."""
    with set_up(engine) as harness:
        yield harness


@pytest.fixture(scope="module")
def heard(ground) -> Sinks:
    """Every flow was gone, and all sinks are collected."""
    ground.empty(streams=True)
    delivery.begin(ground.engine)
    with time_machine.travel(datetime.now(UTC), tick=True) as clock:
        with (
            card_world.running(ground.engine, ground.queues) as cards,
            Sinks(ground.engine, cards.bank.address, card_flows.NOBODY) as sinks,
        ):
            make_dead_letter_queues(ground.queues)
            town = Town(Brisk(cards.engine, cards.queues, cards.bank, cards.machines), world.seller(), clock)
            for flow, bird in FLOWS:
                flow(town, bird)
                card_flows.start_afresh(town)
            town.pass_time(3600)
        sinks.collect(ground.queues, cards.machines)
    return sinks


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_of_a_card_or_its_owner_is_found(heard, kind):
    """CB-18, CB-05: no number, CVV, code, document, phone or name, in any form, in any row, message, line, answer or history."""
    assert bool(heard.texts[kind]) is (kind not in EMPTY) or kind in OTHERS, "a sink that heard nothing proves nothing"
    assert [str(found) for found in canaries.search(canaries.patterns([*BIRDS, *DISTURBED]), heard.texts[kind])] == []


def test_every_kind_of_sink_is_searched(heard):
    """A kind that is listened to and not in KINDS would never be looked at."""
    assert {kind for kind, texts in heard.texts.items() if texts} == {*KINDS, ALLOWED} - EMPTY


def test_the_bank_was_asked_with_every_card_that_it_serves(heard):
    """The canaries were alive: the bank, and it alone, has seen each number, phone, name and the codes."""
    served = [bird for bird in BIRDS if bird.behaviour != "unsupported"]
    whole = "\n".join(heard.texts[ALLOWED])
    assert [bird.behaviour for bird in served if bird.number not in whole] == []
    assert [bird.behaviour for bird in BIRDS if bird not in served and bird.number in whole] == []
    assert canaries.RIGHT_CODE in whole
    never = [one for one in canaries.patterns(BIRDS) if one.secret in (one.canary.document, one.canary.cvv)]
    assert [str(found) for found in canaries.search(never, heard.texts[ALLOWED])] == []


def test_the_flows_failed_in_every_way_they_should(heard):
    """Dead letters, bugs, refusals of AWS, and ends of every kind did happen."""
    logs, rows = "\n".join(heard.texts["logs"]), set(heard.texts["table cards"])
    for word in (
        '"fault":"KeyError"',
        '"code":"unavailable"',
        "AccessDeniedException",
        '"code":"busy"',
    ):
        assert word in logs, word
    for state in ("active", "declined", "expired", "cancelled", "removed", "challenged"):
        assert state in rows, state
    dead = {text.rpartition("/billfold-")[2] for text in heard.texts["messages at rest"] if "-dead" in text}
    assert dead >= {"authentications-dead", "feeds-dead.fifo"}


# ------------------------------------------------------------------------------------- the search finds what is planted

PLANTED = BIRDS[0]
PATTERNS = canaries.patterns([PLANTED])


def plant(kind: str, text: str, number: int, sinks: Sinks, machines: Machines) -> None:
    """Leave a text where a careless step would."""
    if kind.startswith("table ") or kind == "writes":
        table = f"billfold-{kind.removeprefix('table ') if kind != 'writes' else 'cards'}"
        key = {"pk": {"S": f"planted{number}"}, "sk": {"S": "planted"}}
        deep = (
            {"bytes": {"B": text.encode()}}
            if number % 2
            else {"list": {"L": [{"M": {"deep": {"S": json.dumps({"d": text})}}}]}}
        )
        sinks.engine.client.put_item(TableName=table, Item=key | deep)
        if kind == "writes":
            sinks.engine.client.delete_item(TableName=table, Key=key)
    elif kind.startswith("messages"):
        queue.send("charges", [text])
    elif kind == "told to machines":
        said = json.dumps({"card": text})
        client = boto3.client("stepfunctions")
        card_flows.unless_it_fails(lambda: client.send_task_success(taskToken="t", output=said))
    elif kind == "told to KMS":
        context = {"card": text}
        boto3.client("kms").generate_data_key(
            KeyId=os.environ["BILLFOLD_KEY_VAULT_1"], KeySpec="AES_256", EncryptionContext=context
        )
    elif kind == "histories":
        machines.executions["planted"].tell(state="AskBank", cause=f"no answer for {text}")
    elif kind == "objects":
        body = f"\x89 {text} \xff".encode("latin-1")
        boto3.client("s3").put_object(Bucket="billfold-photos", Key=f"photo-{number}", Body=body)
    elif kind == "logs":
        log.line("answered", "planted", 1.0, {"facts": {"about": text}})
    elif kind == "exceptions":
        card_flows.unless_it_fails(lambda: _raises({"card": "crd_1", "text": text}, None))
    else:
        plant_in_a_call(kind, text)


def plant_in_a_call(kind: str, text: str) -> None:
    """What HTTP carries, in and out."""
    if kind == "answers":

        @http.step(open_to_all=True)
        def careless(request):
            return http.Answer(200, {"about": text}, {"X-About": "it"})

        careless({"httpMethod": "GET", "resource": "/"}, None)
        return
    with LocalServer(lambda received: (200, text if kind == "answers over HTTP" else "{}")) as server:
        if kind == "callbacks":
            urllib3.request("POST", server.address, body=json.dumps({"about": text}).encode())
        else:
            urllib3.request("GET", server.address, headers={"X-About": text} if kind == "addresses and headers" else {})


def raises(given):
    """A step whose fault quotes what it was given."""
    try:
        raise ValueError(given["text"])
    except ValueError as fault:
        raise KeyError("something else") from fault


raises.__module__ = "tests.planted"
_raises = workflow.step(raises)


@pytest.mark.parametrize("kind", KINDS)
def test_whatever_is_planted_in_a_sink_is_found_in_every_form(ground, kind):
    """A leak test that cannot fail proves nothing: each secret, in each form, by each sink's own way, found by its own trace."""
    ground.empty()
    machines = Machines({})
    machines.executions["planted"] = Execution("bank_authentication", "planted", "{}", status="SUCCEEDED")
    traces = ["trace" + "".join(chr(97 + int(digit)) for digit in str(number)) + "x" for number in range(len(PATTERNS))]
    with Sinks(ground.engine) as sinks:
        for number, one in enumerate(PATTERNS):
            plant(kind, f"{traces[number]} {one.text}", number, sinks, machines)
    sinks.collect(ground.queues, machines)
    lines = [line for text in sinks.texts[kind] for line in text.splitlines()]
    found = [
        canaries.search([one], [line for line in lines if trace in line])
        for one, trace in zip(PATTERNS, traces, strict=True)
    ]
    assert [str(one) for one, hit in zip(PATTERNS, found, strict=True) if not hit] == []


def test_random_ids_and_instants_raise_no_alarm():
    """A search that cries wolf would be switched off: ids, hashes, amounts and times of a whole year of tests."""
    made = [f"{ids.new('crd', number)} {uuid.uuid4()}" for number in range(2_000)]
    numbers = [f'{{"amount": {number}, "at": {1_764_000_000_000 + number * 7_919}}}' for number in range(100_000)]
    glued = [f"Q8c1f00aa-{bird.cvv}-{bird.cvv}-{bird.cvv}-{'5' * 8}{bird.cvv}z" for bird in BIRDS]
    assert canaries.search(canaries.patterns(BIRDS), made + numbers + glued) == []


def test_what_stands_by_chance_in_a_key_or_a_long_number_raises_no_alarm():
    """A thumbprint and a key's coordinate are 32 bytes in base64; the hex of a CVV is eight digits of an instant."""
    for bird in BIRDS:
        key = f"-{bird.cvv}_".center(43, "x")
        made = f'{{"x":"{key}","device":"dev_{key}","at":17{bird.cvv.encode().hex()}115}} {bird.cvv.encode().hex()}0.5'
        assert canaries.search(canaries.patterns([bird]), [made]) == []


def test_what_stands_beside_a_key_is_found():
    """A key is taken out whole, and only where it is one."""
    for bird in BIRDS:
        for beside in (f"{'x' * 43} {bird.cvv}", f"dev_{'x' * 43}.{bird.cvv}", f"-{bird.cvv}_".center(42, "x")):
            assert bird.cvv in {found.text for found in canaries.search(canaries.patterns([bird]), [beside])}
        hexed = bird.cvv.encode().hex()
        assert hexed in {found.text for found in canaries.search(canaries.patterns([bird]), [f'"{hexed}"'])}


def test_what_is_glued_to_an_id_is_found():
    """An id is taken out, and nothing else with it."""
    for bird in BIRDS:
        text = f"{uuid.UUID(int=bird.rest)}{bird.cvv} {bird.cvv}{uuid.UUID(int=bird.rest)}"
        assert bird.cvv in {found.text for found in canaries.search(canaries.patterns([bird]), [text])}
