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
from infra.steps import QUEUES, SANDBOX_QUEUES
from infra.tables import TABLES
from tests import card_world, delivery, vault_keys, world
from tests.engine import Engine
from tests.local_http import LocalServer
from tests.machines import Execution, Machines
from tests.proof import canaries, card_flows
from tests.proof import stage as stages
from tests.proof.card_flows import RECEPTIONS, Town
from tests.proof.sinks import ALLOWED, Sinks

BIRDS = canaries.flock()
LIVES = [bird for bird in BIRDS if bird.behaviour not in ("typed", "disturbed")]
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
    *((card_flows.disturbed, bird) for bird in BIRDS if bird.behaviour == "disturbed"),
    *((card_flows.resealed, bird) for bird in BIRDS if bird.behaviour in ("approved", "without_funds")),
    *((card_flows.reconciled, bird) for bird in BIRDS[:1]),
]
KINDS = [
    *(f"table {table.name}" for table in TABLES),
    *("writes", "messages sent", "messages at rest", "told to machines", "told to KMS", "histories", "objects", "logs"),
    *("answers", "answers over HTTP", "callbacks", "addresses and headers", "exceptions"),
]
# What no flow of this file leaves anything in.
EMPTY = {"objects"}


def make_dead_letter_queues(client) -> None:
    """As the template makes them: what was received five times rests in a queue of its own."""
    for name in (*QUEUES, *SANDBOX_QUEUES):
        dead = client.create_queue(QueueName=f"billfold-{name}-dead")["QueueUrl"]
        arn = client.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        policy = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": RECEPTIONS})
        address = os.environ[f"BILLFOLD_QUEUE_{name.upper().replace('-', '_')}"]
        client.set_queue_attributes(QueueUrl=address, Attributes={"RedrivePolicy": policy})


@pytest.fixture(scope="module")
def heard(engine) -> Iterator[Sinks]:
    """Every flow was gone, and all sinks are collected."""
    with stages.set_up(engine) as stage, time_machine.travel(datetime.now(UTC), tick=True) as clock:
        stage.empty()
        vault_keys.make("1", "2")
        delivery.begin(engine)
        with (
            card_world.running(engine, stage.queues) as cards,
            Sinks(engine, cards.bank.address, card_flows.NOBODY) as sinks,
        ):
            make_dead_letter_queues(stage.queues)
            town = Town(cards, world.seller(), clock)
            for flow, bird in FLOWS:
                flow(town, bird)
                card_flows.start_afresh(town)
            town.pass_time(3600)
        sinks.collect(stage.queues, cards.machines)
        yield sinks


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_of_a_card_or_its_owner_is_found(heard, kind):
    """CB-18, CB-05: no number, CVV, code, document, phone or name, in any form, in any row, message, line, answer or history."""
    assert bool(heard.texts[kind]) is (kind not in EMPTY), "a sink that heard nothing proves nothing"
    assert [str(found) for found in canaries.search(canaries.patterns(BIRDS), heard.texts[kind])] == []


def test_every_kind_of_sink_is_searched(heard):
    """A kind that is listened to and not in KINDS would never be looked at."""
    assert set(heard.texts) <= {*KINDS, ALLOWED}


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
    logs, rows = "\n".join(heard.texts["logs"]), "\n".join(heard.texts["table cards"])
    for word in ('"fault":"KeyError"', "Unavailable", "AccessDeniedException", "Stale"):
        assert word in logs + "\n".join(heard.texts["exceptions"]), word
    for state in ("active", "declined", "expired", "cancelled", "removed", "challenged"):
        assert state in rows, state
    dead = [text for text in heard.texts["messages at rest"] if text.endswith("-dead")]
    assert len(dead) >= 3, dead


# ------------------------------------------------------------------------------------- the search finds what is planted

PLANTED = BIRDS[0]
PATTERNS = canaries.patterns([PLANTED])


def plant(kind: str, text: str, sinks: Sinks, machines: Machines) -> None:
    """Leave a text where a careless step would."""
    if kind.startswith("table ") or kind == "writes":
        table = f"billfold-{kind.removeprefix('table ') if kind != 'writes' else 'cards'}"
        key = {"pk": {"S": "planted"}, "sk": {"S": "planted"}}
        facts = {"L": [{"M": {"deep": {"S": json.dumps({"deeper": text})}}}]}
        sinks.engine.client.put_item(TableName=table, Item=key | {"bytes": {"B": text.encode()}, "facts": facts})
        if kind == "writes":
            sinks.engine.client.delete_item(TableName=table, Key=key)
    elif kind.startswith("messages"):
        queue.send("charges", [text])
    elif kind == "told to machines":
        boto3.client("stepfunctions").send_task_success(taskToken="t", output=json.dumps({"card": text}))
    elif kind == "told to KMS":
        boto3.client("kms").generate_data_key(
            KeyId="alias/billfold-vault-1", KeySpec="AES_256", EncryptionContext={"a": text}
        )
    elif kind == "histories":
        machines.executions["planted"].tell(state="AskBank", cause=f"no answer for {text}")
    elif kind == "objects":
        boto3.client("s3").put_object(Bucket="photos", Key="photo", Body=f"\x89 {text} \xff".encode("latin-1"))
    elif kind == "logs":
        log.line("answered", "planted", 1.0, {"facts": {"about": text}})
    else:
        plant_in_a_call(kind, text, sinks)


def plant_in_a_call(kind: str, text: str, sinks: Sinks) -> None:
    """What HTTP and handlers carry."""
    if kind in ("callbacks", "addresses and headers", "answers over HTTP"):
        with LocalServer(lambda received: (200, text if kind == "answers over HTTP" else "{}")) as server:
            if kind == "callbacks":
                urllib3.request("POST", server.address, body=json.dumps({"about": text}).encode())
            else:
                urllib3.request(
                    "GET", server.address, fields={"about": "it"}, headers={"X-About": text.encode().decode("latin-1")}
                )
    elif kind == "answers":

        @http.step(open_to_all=True)
        def careless(request):
            return http.Answer(200, {"about": text}, {"X-About": "it"})

        careless({"httpMethod": "GET", "resource": "/"}, None)
    else:

        @workflow.step
        def raises(given):
            try:
                raise ValueError(text)
            except ValueError as fault:
                raise KeyError("something else") from fault

        card_flows.unless_it_fails(lambda: raises({"card": "crd_1"}, None))


@pytest.fixture(scope="module")
def empty(engine) -> Iterator[tuple[Engine, Machines]]:
    """Sinks in which nothing is yet."""
    with stages.set_up(engine) as stage:
        stage.empty()
        vault_keys.make("1")
        boto3.client("s3").create_bucket(Bucket="photos", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        with Machines({}) as machines:
            machines.executions["planted"] = Execution("bank_authentication", "planted", "{}", status="SUCCEEDED")
            yield stage, machines


@pytest.mark.parametrize("kind", KINDS)
def test_whatever_is_planted_in_a_sink_is_found_in_every_form(empty, kind):
    """A leak test that cannot fail proves nothing: each secret, in each form, through each sink's own way."""
    stage, machines = empty
    missed = []
    for one in PATTERNS:
        machines.executions["planted"].told.clear()
        with Sinks(stage.engine) as sinks:
            card_flows.unless_it_fails(lambda one=one, sinks=sinks: plant(kind, one.text, sinks, machines))
        sinks.collect(stage.queues, machines)
        if one not in canaries.search([one], sinks.texts[kind]):
            missed.append(str(one))
    assert missed == []


def test_random_ids_and_instants_raise_no_alarm():
    """A search that cries wolf would be switched off: ids, hashes, amounts and times of a whole year of tests."""
    ids = [f"{ids.new('crd', number)} {uuid.uuid4()}" for number in range(2_000)]
    numbers = [f'{{"amount": {number}, "at": {1_764_000_000_000 + number * 7_919}}}' for number in range(100_000)]
    assert canaries.search(canaries.patterns(BIRDS), ids + numbers) == []
