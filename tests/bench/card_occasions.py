"""The same for the HTTP steps about cards, which stand on more: the sandbox bank, queues, and keys at a KMS on loopback."""

import base64
import itertools
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
from moto import mock_aws

from tests import world
from tests.bench.occasions import Occasion, Occasions
from tests.cloud import queues
from tests.cloud.engine import Engine
from tests.cloud.local_http import Answer, LocalServer, Received
from tests.world import Person, card_world, vault_keys
from tests.world.card_world import CardWorld, Case, number, submission

BLOBS = {"Plaintext", "CiphertextBlob", "Message", "Mac"}


class CardOccasions(Occasions):
    """`names` are all HTTP steps that a user calls."""

    def __init__(self, cards: CardWorld) -> None:
        super().__init__()
        self._cards = cards
        # A card of its own each time: three users may hold one.
        self._rest = itertools.count(1)
        self._makers |= {
            "start_card_photo": self._start_card_photo,
            "bind_card": self._bind_card,
            "list_cards": lambda: world.event("GET", "/v1/cards", self._active()[0]),
            "get_card": lambda: self._of_card("GET", "", *self._active()),
            "answer_challenge": self._answer_challenge,
            "remove_card": self._remove_card,
            "top_up_wallet": self._top_up_wallet,
            "get_top_up": self._get_top_up,
        }

    def _start_card_photo(self) -> Occasion:
        return self._on_phone("POST", "/v1/card-photos", world.joined(pin=None), {"content_type": "image/jpeg"})

    def _bind_card(self) -> Occasion:
        return self._on_phone(
            "POST", "/v1/cards", world.joined(pin=None), submission(number("approved", next(self._rest)))
        )

    def _answer_challenge(self) -> Occasion:
        person, card = self._cards.challenged(rest=next(self._rest))
        return self._of_card("POST", "/challenge", person, card, {"code": card_world.CODE})

    def _remove_card(self) -> Occasion:
        person, card = self._active()
        return self._on_phone("DELETE", f"/v1/cards/{card}", person, {"pin": world.PIN})

    def _top_up_wallet(self) -> Occasion:
        person, card = self._active()
        body = {"card": card, "amount": {"amount": 2_500, "currency": "USD"}}
        return world.event("POST", "/v1/top-ups", person, body)

    def _get_top_up(self) -> Occasion:
        person, card = self._active()
        top_up = self._cards.top_up(person, card).body["id"]
        return world.event("GET", f"/v1/top-ups/{top_up}", person)

    def _active(self) -> Case:
        return self._cards.active(rest=next(self._rest))

    def _of_card(self, method: str, rest: str, person: Person, card: str, body: Any = None) -> Occasion:
        return world.event(method, f"/v1/cards/{card}{rest}", person, body)


@contextmanager
def running(engine: Engine) -> Iterator[tuple[CardOccasions, dict[str, str]]]:
    """Occasions, and where a process of its own finds the KMS that they stand on."""
    with mock_aws():
        client = queues.make()
        vault_keys.make("1")
        with card_world.running(engine, client) as cards, LocalServer(_keep_keys(boto3.client("kms"))) as kms:
            yield CardOccasions(cards), {"AWS_ENDPOINT_URL_KMS": kms.address}


def _keep_keys(client: Any) -> Any:
    """KMS as it is called over HTTP, answered by moto."""

    def answer(received: Received) -> Answer:
        action = received.headers["X-Amz-Target"].partition(".")[2]
        said = {
            name: base64.b64decode(value) if name in BLOBS else value
            for name, value in json.loads(received.body).items()
        }
        told = client._make_api_call(action, said)
        wire = {
            name: base64.b64encode(value).decode() if isinstance(value, bytes) else value
            for name, value in told.items()
            if name != "ResponseMetadata"
        }
        return 200, json.dumps(wire)

    return answer
