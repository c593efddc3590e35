"""Photos of cards among tests: the bucket and keys that their steps need, uploads, and what comes of them."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
from PIL import Image, ImageDraw, ImageFont

from infra.demo import card_pictures as rendering
from tests.cloud import delivery
from tests.world import STEPS, Person, Response, call, vault_keys

BUCKET = "billfold-photos"


@contextmanager
def bucket_and_keys() -> Iterator[Any]:
    """The bucket of photos and the vault's keys, within `mock_aws`; gives S3's client."""
    s3 = boto3.client("s3")
    if BUCKET not in [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]:
        s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    vault_keys.make("1")
    yield s3


def started(person: Person) -> str:
    """The id of a new photo of this person's."""
    answer = call("POST", "/v1/card-photos", person, {"content_type": "image/jpeg"})
    assert answer.status == 201, answer
    return str(answer.body["id"])


def put(s3: Any, photo: str, image: bytes) -> None:
    """The upload, as S3 has it then."""
    s3.put_object(Bucket=BUCKET, Key=photo, Body=image, ContentType="image/jpeg")


def told(photo: str) -> dict[str, Any]:
    """S3's event of the upload to its step."""
    return dict(STEPS["read_card_photo"].handler(delivery.uploaded(photo), None))


def shown(person: Person, photo: str) -> Response:
    """What the owner, or anyone else, is shown."""
    return call("GET", f"/v1/card-photos/{photo}", person)


def objects(s3: Any) -> list[str]:
    """What lies in the bucket."""
    return [one["Key"] for one in s3.list_objects_v2(Bucket=BUCKET).get("Contents", [])]


def number_alone(number: str) -> bytes:
    """The quickest thing to read: one line of digits."""
    picture = Image.new("RGB", (700, 56), "white")
    font = ImageFont.load_default(44)
    ImageDraw.Draw(picture).text((24, 4), " ".join(number[at : at + 4] for at in range(0, 16, 4)), "black", font)
    return rendering.encoded(picture)
