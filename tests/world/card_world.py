"""Cards in the small world: the sandbox bank on a port, the state machines, the vault's keys, and what AWS delivers between.

    bound = cards.bind(person, behaviours.number(...))
    cards.settle()                       # streams, queues, machines and callbacks until nothing moves any more
    cards.seen(person, bound.body["id"])

Nothing here waits: a state machine's waiting ends by its token, or by `cards.time_out()`.
"""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sandbox_bank import behaviours
from tests import world
from tests.cloud import bank_server, delivery
from tests.cloud.bank_server import BankServer
from tests.cloud.engine import Engine
from tests.cloud.local_http import Answer, LocalServer, Received
from tests.world import PIN, STEPS, Person, Response, call
from tests.world.machines import Machines

PERSON = {"name": "Ada Holder", "document_type": "passport", "document_number": "C01X00T47", "phone": "+4915155512345"}
CODE = "123456"


# The token of an execution that nobody runs here.
TOKEN = "a task's token"
# Whose card, and which.
Case = tuple[Person, str]


def number(behaviour: str, rest: int = 1) -> str:
    """A card of the sandbox bank's behaviour with this name; a late one is decided after half a minute."""
    if behaviour == "late":
        return behaviours.late_number(30, rest)
    return behaviours.number(behaviours.NAMED[behaviour].digits, rest)


def submission(number: str, *, typed_phone: bool = False) -> dict[str, Any]:
    """What is submitted of a card, as its owner confirmed it."""
    return {
        "number": number,
        "expiry": {"year": 2031, "month": 7},
        "holder": "ADA HOLDER",
        "person": PERSON | ({"phone_typed": True} if typed_phone else {}),
        "consent": "2026-11",
    }


@dataclass
class CardWorld:
    engine: Engine
    queues: Any
    bank: BankServer
    machines: Machines

    def bind(self, person: Person, number: str, *, typed_phone: bool = False, **options: Any) -> Response:
        """Submit a card from the person's phone."""
        body = submission(number, typed_phone=typed_phone)
        changed = options.pop("body", {})
        return call("POST", "/v1/cards", person, body | changed, phone=person.phone, **options)

    def bound(self, behaviour: str = "approved", person: Person | None = None, *, rest: int = 1, **fields: Any) -> Case:
        """A person with a card that is just bound."""
        person = person or world.joined()
        answer = self.bind(person, number(behaviour, rest), **fields)
        assert answer.status == 201, answer
        return person, str(answer.body["id"])

    def work(self, step: str, card: str, **more: str) -> str:
        """A task of the state machine, done; its outcome."""
        return str(STEPS[step].handler({"card": card, **more}, None)["outcome"])

    def asked(self, behaviour: str = "approved", **fields: Any) -> Case:
        """A person with a card whose bank was asked once."""
        person, card = self.bound(behaviour, **fields)
        assert self.work("check_card", card) == "ask"
        self.work("ask_bank", card)
        return person, card

    def active(self, behaviour: str = "approved", **fields: Any) -> Case:
        """A person with a card that can pay."""
        person, card = self.asked(behaviour, **fields)
        assert self.work("activate_card", card) == "active"
        return person, card

    def challenged(self, behaviour: str = "challenged", **fields: Any) -> Case:
        """A person with a card whose bank has sent a code."""
        person, card = self.asked(behaviour, **fields)
        assert self.work("send_challenge", card, token=TOKEN) == "waiting"
        return person, card

    def linked(self, person: Person, number: str) -> str:
        """A card that the bank approved."""
        card = str(self.bind(person, number).body["id"])
        self.settle()
        assert self.seen(person, card)["state"] == "active"
        return card

    def seen(self, person: Person, card: str) -> Any:
        """A card as its owner sees it."""
        answer = call("GET", f"/v1/cards/{card}", person)
        assert answer.status == 200, answer
        return answer.body

    def answer(self, person: Person, card: str, code: str = CODE, **options: Any) -> Response:
        return call("POST", f"/v1/cards/{card}/challenge", person, {"code": code}, **options)

    def resend(self, person: Person, card: str, **options: Any) -> Response:
        return call("POST", f"/v1/cards/{card}/challenge/resend", person, **options)

    def remove(self, person: Person, card: str, pin: str = PIN) -> Response:
        return call("DELETE", f"/v1/cards/{card}", person, {"pin": pin})

    def top_up(
        self, person: Person, card: str, amount: int = 2_500, *, currency: str = "USD", **options: Any
    ) -> Response:
        body = {"card": card, "amount": {"amount": amount, "currency": currency}}
        return call("POST", "/v1/top-ups", person, body, **options)

    def verify(self, person: Person, bill: Any, card: str, *, pin: str = PIN, **options: Any) -> Response:
        """Verify a bill that waits for it, to be paid by a card."""
        body = {"list_hash": bill["verification"]["list_hash"], "pin": pin, "instrument": card}
        path = f"/v1/bills/{bill['id']}/verification"
        return call("POST", path, person, body, phone=person.phone, **options)

    def settle(self, *, twice: bool = False) -> None:
        """Everything that follows from what was committed, until nothing follows any more."""
        while True:
            delivery.follow_streams(self.engine, twice=twice)
            before = self.revisions()
            delivery.drain(self.queues, twice=twice)
            self.bank.send_callbacks(self.queues)
            self.machines.run()
            if self.revisions() == before and not delivery.drain(self.queues, twice=twice):
                return

    def revisions(self) -> list[Any]:
        """What tells whether anything has moved: the heads of cards, charges and bills, and where each execution is."""
        heads = [row for table in ("cards", "charges", "bills") for row in self.engine.rows(table)]
        rows = sorted((row["pk"]["S"], row["sk"]["S"]) for row in heads)
        return [*rows, *((one.name, one.status, len(one.states)) for one in self.machines.executions.values())]

    def time_out(self) -> None:
        """The waiting of every execution is over; what follows follows."""
        for execution in self.machines.waiting():
            self.machines.time_out(execution)
        self.machines.run()
        self.settle()


@contextmanager
def running(engine: Engine, queues: Any) -> Iterator[CardWorld]:
    """The bank's callbacks arrive over real HTTP, and are handed to the step as the gateway would."""
    handlers = {name: module.handler for name, module in STEPS.items()}
    with bank_server.running() as bank, Machines(handlers) as machines, LocalServer(_take) as server:
        bank.register(f"{server.address}/v1/banks/sandbox/callbacks")
        bank.calls.clear()
        yield CardWorld(engine, queues, bank, machines)


def _take(received: Received) -> Answer:
    module, proxied = world.event("POST", received.path, raw=received.body, headers=dict(received.headers))
    answer = module.handler(proxied | {"requestContext": {"requestId": str(uuid.uuid4())}}, None)
    return answer["statusCode"], answer["body"]
