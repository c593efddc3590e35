"""Every way that a card can go through Billfold, and every way in which that can fail, for one canary after the other.

A flow is a function of a Town and a canary; `FLOWS` lists them. Each leaves what it leaves: only the search judges.
"""

import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import boto3

from billfold.cards import card_rows
from functions.sandbox_bank import send_bank_callbacks
from tests import world
from tests.cloud import delivery, queues
from tests.proof import faults
from tests.proof.canaries import RIGHT_CODE, Canary
from tests.proof.wire import Fault, Wire
from tests.world import STEPS, Person, Seller, call, photo_world
from tests.world.card_world import CardWorld

RECEPTIONS = 5
NOBODY = "http://127.0.0.1:9"


class Brisk(CardWorld):
    """Delivers every record and message once: the search wants many flows, and other tests are about deliveries."""

    def settle(self, *, twice: bool = False) -> None:
        moved = True
        while moved:
            moved = False
            for table, name in delivery.STREAMS.items():
                if records := delivery.records(self.engine, table):
                    STEPS[name].handler({"Records": records}, None)
                    self.engine.marks[table] = records[-1]["dynamodb"]["SequenceNumber"]
                    moved = True
            moved |= delivery.drain(self.queues) > 0
            moved |= self.bank.send_callbacks(self.queues) > 0
            self.machines.run()


@dataclass
class Town:
    """The world of cards, a seller, and a clock that flows may move on."""

    cards: CardWorld
    shop: Seller
    clock: Any

    def pass_time(self, seconds: float) -> None:
        self.clock.shift(seconds)
        self.cards.settle()

    def suffer(self, rounds: int = RECEPTIONS + 1) -> None:
        """As `settle`, but what fails comes again as SQS and Lambda have it come: five times, then it rests as a dead letter."""
        for _ in range(rounds):
            for table, name in delivery.STREAMS.items():
                unless_it_fails(lambda name=name, table=table: self._forward(name, table))
            for name, step in delivery.QUEUES.items():
                self._receive(name, STEPS[step].handler)
            self._receive("bank-callbacks", send_bank_callbacks.handler)
            unless_it_fails(self.cards.machines.run)

    def _forward(self, name: str, table: str) -> None:
        STEPS[name].handler({"Records": delivery.records(self.cards.engine, table)}, None)

    def _receive(self, name: str, handler: Any) -> None:
        client = self.cards.queues
        messages = queues.receive(client, name)
        if not messages:
            return
        answer = handler(delivery.received(messages), None)
        failed = {one["itemIdentifier"] for one in answer["batchItemFailures"]}
        for message in messages:
            if message["MessageId"] in failed:
                receipt = {"QueueUrl": queues.address(name), "ReceiptHandle": message["ReceiptHandle"]}
                client.change_message_visibility(**receipt, VisibilityTimeout=0)
            else:
                queues.delete(client, name, message)


def unless_it_fails(run: Callable[[], Any]) -> None:
    """What Lambda does with an invocation that fails: it is told, and comes again."""
    try:
        run()
    except (Exception, faults.Crash):
        return


def submission(canary: Canary, **changed: Any) -> dict[str, Any]:
    """The body that binds a canary's card."""
    person = {
        "name": canary.name,
        "document_type": "passport",
        "document_number": canary.document,
        "phone": canary.phone,
    }
    expiry = {"year": 2031, "month": 7}
    return {
        "number": canary.number,
        "expiry": expiry,
        "holder": canary.name,
        "person": person,
        "consent": "2026-11",
    } | changed


def submit(person: Person, canary: Canary, **options: Any) -> Any:
    return call("POST", "/v1/cards", person, submission(canary), phone=person.phone, **options).body


# ----------------------------------------------------------------------------------------------------- refused at once


def refused(town: Town, canary: Canary) -> None:
    """What no bank ever hears of: wrong numbers, a CVV, and the number wherever it does not belong."""
    person, number = world.joined(), canary.number
    body, whole = submission(canary), repr(submission(canary))
    grouped = re.sub("(....)", r"\1 ", number).strip()

    def send(changed: Any, **options: Any) -> None:
        call("POST", "/v1/cards", person, changed, phone=person.phone, **options)

    send(body | {"number": canary.near_miss})
    send(body | {"expiry": {"year": 2021, "month": 7}})
    send(body | {"expiry": {"year": int(number), "month": number}})
    for name in ("cvv", "cvc", "security_code"):
        send(body | {name: canary.cvv})
        send(body | {"expiry": body["expiry"] | {name: canary.cvv}})
        send(body | {"person": body["person"] | {name: int(canary.cvv)}})
    send(None, raw=whole)
    send(None, raw=f'{{"number": "{number}", "number": "{number}"}}')
    send(None, raw=f'{{"number": {number}, "expiry": NaN}}')
    send(None, raw=f'{{"{number}": 1, "{number}": 2}}')
    send(None, raw=f'{{"number": "{number}')
    send(body, key="")
    send(body, headers={"X-Card": number, "DPoP": number, "Referer": f"https://shop.example/?card={number}"})
    for name in ("consent", "typed", "expiry", "person", "unheard_of", number, canary.document, "number", "holder"):
        for text in (number, grouped, int(number), [number], {number: number}, canary.document):
            send(body | {name: text})
    send(body, key=number)
    for name in (*body["person"], number):
        send(body | {"person": body["person"] | {name: [number]}})
    call("GET", "/v1/cards", person, query={"number": number, "cursor": number, "limit": number})
    for path in (number, f"crd_{number}", f"{number}-{canary.cvv}", canary.document, "-".join(grouped.split())):
        call("GET", f"/v1/cards/{path}", person)
        call("DELETE", f"/v1/cards/{path}", person, {"pin": canary.codes[0]})
        call("POST", f"/v1/cards/{path}/challenge", person, {"code": RIGHT_CODE})
        call("POST", f"/v1/cards/{path}/challenge/resend", person)
        call("POST", f"/v1/banks/{path}/callbacks", raw=whole)
        call("GET", f"/v1/top-ups/{path}", person)
        call("GET", f"/v1/wallets/{path}/entries", person)
    for card in (number, f"crd_{number}"):
        call("POST", "/v1/top-ups", person, {"card": card, "amount": {"amount": 1, "currency": "USD"}})
        call("POST", "/v1/top-ups", person, {"card": "crd_" + "0" * 32, "amount": {"amount": 1, "currency": card}})


def forged_callbacks(town: Town, canary: Canary) -> None:
    """Callbacks that no bank signed, with everything in them."""
    for raw in (repr(submission(canary)), f'{{"number": "{canary.number}"}}', canary.number):
        headers = {"Webhook-Id": canary.number, "Webhook-Timestamp": canary.number, "Webhook-Signature": canary.cvv}
        call("POST", "/v1/banks/sandbox/callbacks", raw=raw, headers=headers)


# ------------------------------------------------------------------------------------------------------- a card's life


def life(town: Town, canary: Canary) -> None:
    """Bound, authenticated as its bank has it, used for everything, removed; whatever of it the card comes to."""
    cards, person = town.cards, world.joined()
    bound = submit(person, canary, key=canary.number)
    submit(person, canary, key=canary.number)
    submit(person, canary)
    if "id" not in bound:
        return
    cards.settle()
    if cards.seen(person, bound["id"])["state"] == "challenged":
        answer_codes(town, person, canary, bound["id"])
    cards.answer(person, bound["id"], RIGHT_CODE)
    for seconds in (4, 65, 130, 900):
        if cards.seen(person, bound["id"])["state"] in ("authenticating", "unknown", "challenged"):
            town.clock.shift(seconds)
            cards.time_out()
    submit(person, canary, key=canary.number)
    submit(world.joined(), canary)
    town.cards.settle()
    use(town, person, bound["id"])
    cards.remove(person, bound["id"], pin=canary.codes[0])
    cards.remove(person, bound["id"])
    cards.settle()


def answer_codes(town: Town, person: Person, canary: Canary, card: str) -> None:
    """Wrong codes, malformed ones, another one, the right one twice."""
    cards = town.cards
    for code in canary.codes[:2]:
        cards.answer(person, card, code, key=code)
        cards.answer(person, card, code, key=code)
    call("POST", f"/v1/cards/{card}/challenge", person, {"code": int(canary.codes[0]), "cvv": canary.cvv})
    call("POST", f"/v1/cards/{card}/challenge", person, {RIGHT_CODE: canary.codes[0]})
    cards.resend(person, card, query={"code": RIGHT_CODE})
    town.pass_time(61)
    cards.resend(person, card, key=RIGHT_CODE)
    for _ in range(2):
        cards.answer(person, card, RIGHT_CODE, key=canary.codes[5])
        cards.settle()


def five_wrong_codes(town: Town, canary: Canary) -> None:
    """Declined for them, and refused for a day."""
    cards, person = town.cards, world.joined()
    body = submission(canary, person=submission(canary)["person"] | {"phone_typed": True})
    bound = call("POST", "/v1/cards", person, body, phone=person.phone).body
    cards.settle()
    for code in canary.codes:
        cards.answer(person, bound["id"], code)
    cards.settle()
    cards.time_out()
    submit(person, canary)


def cancelled(town: Town, canary: Canary) -> None:
    """Given up while the bank is asked; what the bank says afterwards is withdrawn."""
    cards, person = town.cards, world.joined()
    bound = submit(person, canary)
    cards.settle()
    cards.remove(person, bound["id"])
    town.pass_time(130)
    cards.time_out()


def use(town: Town, person: Person, card: str) -> None:
    """Top-ups and a bill by card, a refund of it, and the comparison of what both sides say of it."""
    cards = town.cards
    cards.top_up(person, card)
    bill = world.to_verify(person, (town.shop.tills[0], 1_250))
    cards.verify(person, bill, card)
    cards.settle()
    for seconds in (4, 8, 16, 32):
        shown = world.shown(person, bill["id"])
        if shown["state"] == "settling":
            town.pass_time(seconds)
    if shown["state"] == "settled":
        world.refund(town.shop.admin, bill["id"], [shown["items"][0]["id"]])
        cards.settle()


# --------------------------------------------------------------------------------------------------- when things break


def at(action: str, fault: Fault) -> Fault:
    """The fault, at calls of one action only."""
    return lambda client, name, arguments, send: fault(client, name, arguments, send) if name == action else send()


def bug(client: Any, action: str, arguments: dict[str, Any], send: Any) -> dict[str, Any]:
    """What nobody thought of, and an answer in which everything is missing."""
    return {}


FAULTS = {
    "GenerateMac": (faults.error("ThrottlingException"), faults.lost_request, bug),
    "GenerateDataKey": (faults.error("AccessDeniedException"), faults.lost_answer, bug),
    "Decrypt": (faults.error("InvalidCiphertextException"), faults.error("KMSInternalException", 500), bug),
    "TransactWriteItems": (
        faults.cancelled("TransactionConflict"),
        faults.error("ValidationException"),
        faults.lost_answer,
    ),
    "BatchGetItem": (faults.error("ProvisionedThroughputExceededException"), faults.left_over, bug),
    "Query": (faults.error("AccessDeniedException"), bug),
    "StartExecution": (faults.error("ExecutionLimitExceeded"), faults.lost_answer),
    "SendTaskSuccess": (faults.error("InvalidOutput"), faults.lost_answer),
    "SendMessageBatch": (faults.error("AccessDeniedException"), faults.left_over),
}


def disturbed(action: str, fault: Fault) -> Callable[[Town, Canary], None]:
    """The flow in which one AWS call of a card's life always fails: while it is submitted, and while it is followed."""

    def flow(town: Town, canary: Canary) -> None:
        person, trouble = world.joined(), at(action, fault)
        with Wire(trouble, times=faults.ALWAYS):
            submit(person, canary)
        bound = submit(person, canary)
        with Wire(trouble, times=faults.ALWAYS):
            town.suffer()
            town.cards.answer(person, bound["id"], canary.codes[0])
            town.cards.top_up(person, bound["id"])
        town.suffer(2)
        town.cards.remove(person, bound["id"])

    return flow


def without_a_bank(town: Town, canary: Canary) -> None:
    """Nobody is at the bank's address: while it is asked, while a code is put to it, and while it should withdraw."""
    cards, person = town.cards, world.joined()
    with_bank = submit(person, canary)
    cards.settle()
    with closed_bank():
        other = world.joined()
        submit(other, canary)
        town.suffer()
        cards.answer(person, with_bank["id"], RIGHT_CODE)
        cards.resend(person, with_bank["id"])
        if canary.behaviour == "charge_lost":
            cards.top_up(person, with_bank["id"])
        cards.remove(person, with_bank["id"])
        town.suffer()
    cards.settle()


@contextmanager
def closed_bank() -> Iterator[None]:
    name = "BILLFOLD_SANDBOX_BANK_ADDRESS"
    address, os.environ[name] = os.environ[name], NOBODY
    yield
    os.environ[name] = address


def resealed(town: Town, canary: Canary) -> None:
    """Keys of a new generation: every card is sealed anew, and found by its new fingerprint."""
    person = world.joined()
    bound = submit(person, canary)
    town.cards.settle()

    os.environ["BILLFOLD_VAULT_KEYS"] = "2 1"
    try:
        STEPS["find_old_seals"].handler({}, None)
        town.cards.settle()
        submit(person, canary)
        submit(world.joined(), canary)
        town.cards.settle()
    finally:
        os.environ["BILLFOLD_VAULT_KEYS"] = "1"
    assert "id" not in bound or card_rows.load(bound["id"]).present


def reconciled(town: Town, canary: Canary) -> None:
    """A day later both lists are compared."""
    town.pass_time(24 * 3600)
    assert STEPS["reconcile_charges"].handler({}, None)["found"]
    town.cards.settle()


def photographed(town: Town, canary: Canary) -> None:
    """A photo of it is read and sealed; only its owner is ever shown the number (CB-18), and does not ask here."""
    photo = photo_world.started(world.joined(pin=None))
    photo_world.put(boto3.client("s3"), photo, photo_world.number_alone(canary.number))
    assert photo_world.told(photo)["outcome"] == "read"


def start_afresh(town: Town) -> None:
    """What was told before is not told again, and limits (CB-17) have forgotten some of it: each flow stands for itself."""
    town.clock.shift(600)
    town.cards.machines.run()
    delivery.begin(town.cards.engine)
