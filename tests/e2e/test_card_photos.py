"""A photo of a card over HTTP on the local cloud: the form, the upload straight to S3, the event, the reading; roles enforced."""

import random
import time
import zipfile
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from infra.build import packages
from infra.demo import card_pictures as rendering
from infra.demo.cast import Customer
from infra.deploy.clouds import Cloud
from infra.plan import stages
from infra.plan.steps import load

PREFIX = stages.stage(stages.LOCAL).prefix
PATIENCE_SECONDS = 60


@pytest.fixture
def bob(stack: dict[str, Any]) -> Iterator[Customer]:
    customer = Customer(stack, "bob")
    yield customer
    customer.leave()


@pytest.fixture
def cloud(stack: dict[str, Any]) -> Cloud:
    """The local cloud, as its owner may use it."""
    return Cloud(stack["region"], stack["account"], stack["endpoint"])


def start(person: Customer) -> dict[str, Any]:
    started: dict[str, Any] = person.api.post("/v1/card-photos", {"content_type": "image/jpeg"})
    return started


def send(form: dict[str, Any], image: bytes, **changed: str) -> int:
    """POST a picture by its form; S3's status."""
    answer = httpx.post(form["url"], data=form["fields"] | changed, files={"file": ("card.jpg", image)}, timeout=30)
    return answer.status_code


def outcome(person: Customer, photo: str) -> dict[str, Any]:
    """What the owner is shown once the photo was looked at."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        shown: dict[str, Any] = person.api.get(f"/v1/card-photos/{photo}")
        if shown["state"] != "awaiting_upload" or time.monotonic() > deadline:
            return shown
        time.sleep(0.2)


def left(cloud: Cloud) -> list[str]:
    """What lies in the bucket of photos."""
    bucket = f"{PREFIX}-photos-{cloud.account}-{cloud.region}"
    deadline = time.monotonic() + 10
    while True:
        keys = [one["Key"] for one in cloud.client("s3").list_objects_v2(Bucket=bucket).get("Contents", [])]
        if not keys or time.monotonic() > deadline:
            return keys
        time.sleep(0.2)


def test_a_photo_is_uploaded_read_shown_and_deleted(bob: Customer, cloud: Cloud) -> None:
    """CB-02, CB-19: from the phone's form to the fields, by the layer's own networks."""
    chance = random.Random("end to end")
    card = rendering.card(chance)
    started = start(bob)
    assert send(started["upload"], rendering.photo(card, "flat", chance)) in (200, 201, 204)
    shown = outcome(bob, started["id"])
    assert shown["state"] == "read", shown
    assert (shown["number"]["value"], shown["brand"]["value"]) == (card.number, card.brand)
    assert shown["holder"]["value"] == card.holder
    assert left(cloud) == []


def test_what_is_no_photo_says_what_to_do(bob: Customer, cloud: Cloud) -> None:
    """CB-02: asked for anew, or typed."""
    started = start(bob)
    assert send(started["upload"], b"no picture at all") in (200, 201, 204)
    shown = outcome(bob, started["id"])
    assert (shown["state"], shown["reason"]) == ("unreadable", "no_image")
    assert shown["text"].startswith("We could not read the card.")
    assert left(cloud) == []


def test_the_sweep_may_do_what_it_does(bob: Customer, cloud: Cloud) -> None:
    """XX-06: a photo that is not due yet is left alone, found or told of."""
    started = start(bob)
    client = cloud.client("lambda")
    for step, payload in (("find-due-photos", b"{}"), ("expire-card-photos", message(started["id"]))):
        answer = client.invoke(FunctionName=f"{PREFIX}-{step}:live", Payload=payload)
        told = answer["Payload"].read()
        assert "FunctionError" not in answer, told
    assert bob.api.get(f"/v1/card-photos/{started['id']}")["state"] == "awaiting_upload"


def message(body: str) -> bytes:
    """A queue's batch of one."""
    record = f'{{"messageId": "1", "body": "{body}", "eventSource": "aws:sqs", "attributes": {{}}}}'
    return f'{{"Records": [{record}]}}'.encode()


def test_the_reading_function_and_its_layers_fit_into_lambda(stack: dict[str, Any]) -> None:
    """Issue 3: 250 MB unzipped, function and layers together, with a third to spare."""
    (step,) = [step for step in load() if "reading" in step.layers]
    here = stages.this_machine()
    parts = [packages.function(step, here), packages.billfold_layer(here), packages.packages_layer(here)]
    parts += [packages.extra_layer(name, here) for name in step.layers]
    unzipped = sum(entry.file_size for part in parts for entry in zipfile.ZipFile(part.path).infolist())
    assert 100_000_000 < unzipped < packages.MAX_UNZIPPED * 2 / 3
