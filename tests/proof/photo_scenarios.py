"""Scenarios of card photos. Where one is read it is a single line of digits, the quickest thing to read."""

from tests.cloud.delivery import uploaded
from tests.proof.harness import Harness, ago, happening, http, message
from tests.proof.plays import Occasion, Scenario
from tests.world import Person, joined, photo_world
from tests.world.photo_world import shown, started, told

NUMBER = "4242424242424242"
OTHER = "5555555555554444"


def _starts(harness: Harness) -> Occasion:
    person = joined(pin=None)

    def effect() -> None:
        (row,) = harness.engine.rows("photos")
        assert shown(person, row["pk"]["S"]).body["state"] == "awaiting_upload"

    return Occasion(http("POST", "/v1/card-photos", person, {"content_type": "image/jpeg"}, key="photo"), effect)


def _uploaded(harness: Harness, image: bytes) -> tuple[Person, str]:
    person = joined(pin=None)
    photo = started(person)
    photo_world.put(harness.ground.objects, photo, image)
    return person, photo


def _becomes(harness: Harness, person: Person, photo: str, **expected: str) -> Occasion:
    def effect() -> None:
        body = shown(person, photo).body
        said = {"state": body["state"], "reason": body.get("reason"), "number": (body.get("number") or {}).get("value")}
        assert said == {"reason": None, "number": None, **expected}
        assert photo_world.objects(harness.ground.objects) == []

    return Occasion(happening("read_card_photo", uploaded(photo)), effect)


def _reads(harness: Harness) -> Occasion:
    return _becomes(harness, *_uploaded(harness, photo_world.number_alone(NUMBER)), state="read", number=NUMBER)


def _reads_no_image(harness: Harness) -> Occasion:
    return _becomes(harness, *_uploaded(harness, b"no image"), state="unreadable", reason="no_image")


def _reads_no_object(harness: Harness) -> Occasion:
    person = joined(pin=None)
    return _becomes(harness, person, started(person), state="awaiting_upload")


def _reads_a_second_upload(harness: Harness) -> Occasion:
    person, photo = _uploaded(harness, photo_world.number_alone(NUMBER))
    told(photo)
    photo_world.put(harness.ground.objects, photo, photo_world.number_alone(OTHER))
    return _becomes(harness, person, photo, state="read", number=NUMBER)


def _reads_too_late(harness: Harness) -> Occasion:
    with ago(minutes=16):
        person, photo = _uploaded(harness, photo_world.number_alone(NUMBER))
    return _becomes(harness, person, photo, state="expired")


def _shows(harness: Harness) -> Occasion:
    person, photo = _uploaded(harness, photo_world.number_alone(NUMBER))
    told(photo)
    return Occasion(http("GET", f"/v1/card-photos/{photo}", person), _nothing)


def _shows_anothers(harness: Harness) -> Occasion:
    _, photo = _uploaded(harness, b"no image")
    return Occasion(http("GET", f"/v1/card-photos/{photo}", joined(pin=None)), _nothing)


def _finds(harness: Harness) -> Occasion:
    person = joined(pin=None)
    with ago(minutes=16):
        photos = [started(person) for _ in range(2)]

    def effect() -> None:
        states = [row["state"]["S"] for row in harness.engine.rows("photos")]
        assert states == ["expired"] * len(photos)

    return Occasion(happening("find_due_photos", {}), effect)


def _expires(harness: Harness) -> Occasion:
    with ago(minutes=16):
        person, photo = _uploaded(harness, b"never read")
    return Occasion(message("expire_card_photos", photo), _becomes(harness, person, photo, state="expired").effect)


def _gives_up(harness: Harness) -> Occasion:
    with ago(minutes=1):
        person, photo = _uploaded(harness, photo_world.number_alone(NUMBER))
    becomes = _becomes(harness, person, photo, state="unreadable", reason="fault")
    return Occasion(message("expire_card_photos", photo), becomes.effect)


def _erases(harness: Harness) -> Occasion:
    with ago(minutes=16):
        _, photo = _uploaded(harness, photo_world.number_alone(NUMBER))
        told(photo)

    def effect() -> None:
        (row,) = harness.engine.rows("photos")
        assert "sealed_reading" not in row

    return Occasion(message("expire_card_photos", photo), effect)


def _expires_nothing(harness: Harness) -> Occasion:
    person = joined(pin=None)
    photo = started(person)
    return Occasion(
        message("expire_card_photos", photo), _becomes(harness, person, photo, state="awaiting_upload").effect
    )


def _nothing() -> None:
    """A step that only reads has no effect to look for."""


ALL = (
    Scenario("start_card_photo", "a new one", _starts, 201),
    Scenario("read_card_photo", "one line of digits", _reads, again=(200,), slow=True),
    Scenario("read_card_photo", "no image", _reads_no_image, again=(200,)),
    Scenario("read_card_photo", "no object", _reads_no_object),
    Scenario("read_card_photo", "a second upload", _reads_a_second_upload),
    Scenario("read_card_photo", "too late", _reads_too_late),
    Scenario("get_card_photo", "one that was read", _shows),
    Scenario("get_card_photo", "another's", _shows_anothers, 404),
    Scenario("find_due_photos", "two due", _finds, followed=True),
    Scenario("expire_card_photos", "one that was never read", _expires),
    Scenario("expire_card_photos", "one whose picture lies unread", _gives_up),
    Scenario("expire_card_photos", "one that was read", _erases),
    Scenario("expire_card_photos", "nothing due", _expires_nothing),
)
