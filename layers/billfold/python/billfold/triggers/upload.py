"""Uploads: a signed form lets a phone put one object into a bucket of this stage; the object then triggers a step.

The form fixes the object's name and content type and bounds its size, so nothing else can be put anywhere. S3 tells of an
object at least once, by EventBridge, and tells of one that replaced another again: steps look at what they already know.
"""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from billfold import aws, clock
from billfold.clock import SECOND
from billfold.errors import Unavailable
from billfold.triggers import log
from billfold.triggers.again import until_fresh

Handler = Callable[[dict[str, Any], Any], dict[str, Any]]
GONE = {"NoSuchKey", "404"}


@dataclass(frozen=True, slots=True)
class Form:
    """What to POST to `url` as multipart/form-data: these fields, then the file as `file`."""

    url: str
    fields: dict[str, str]


def step(*, seals: bool = False) -> Callable[[Callable[[str], str]], Handler]:
    """Make a function of an object's key a Lambda handler. It answers with a word for the log on what became of it.

    seals: whether the step makes fingerprints under the stage's secret (`fingerprints.of_field`): its function may fetch it.
    """

    def decorate(run: Callable[[str], str]) -> Handler:
        def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
            key = str(event["detail"]["object"]["key"])
            with log.timed("handled", run) as facts:
                facts["object"] = key
                facts["outcome"] = until_fresh(lambda: run(key))
            return {"outcome": facts["outcome"]}

        handler.__module__ = run.__module__
        handler.__doc__ = run.__doc__
        handler.seals = seals  # type: ignore[attr-defined]
        return handler

    return decorate


def form(bucket: str, key: str, content_type: str, *, max_bytes: int, until: int) -> Form:
    """A form that allows to upload this one object, once or again, until then. Signing it calls nobody."""
    client = _s3()
    # The end is signed in whole seconds from the signing on: one less, so that it is never later than what was said.
    seconds = (until - clock.now()) // SECOND - 1
    conditions = [{"Content-Type": content_type}, ["content-length-range", 1, max_bytes]]
    made = client.generate_presigned_post(
        Bucket=_name(bucket), Key=key, Fields={"Content-Type": content_type}, Conditions=conditions, ExpiresIn=seconds
    )
    return Form(made["url"], made["fields"])


def fetch(bucket: str, key: str, *, max_bytes: int) -> bytes | None:
    """An object's bytes, one more than `max_bytes` at most; None when there is none."""
    try:
        answer = _s3().get_object(Bucket=_name(bucket), Key=key, Range=f"bytes=0-{max_bytes}")
        return bytes(answer["Body"].read())
    except ClientError as error:
        if error.response["Error"]["Code"] in GONE:
            return None
        # An empty object has no range to give.
        if error.response["Error"]["Code"] == "InvalidRange":
            return b""
        raise Unavailable() from error
    except BotoCoreError as error:
        raise Unavailable() from error


def delete(bucket: str, key: str) -> None:
    """Delete an object; nothing happens when there is none."""
    try:
        _s3().delete_object(Bucket=_name(bucket), Key=key)
    except (BotoCoreError, ClientError) as error:
        raise Unavailable() from error


def lying(bucket: str, before: int, only: str = "") -> Iterator[str]:
    """The keys of objects that were put before an instant; `only` those that begin so."""
    more: dict[str, Any] = {}
    while True:
        try:
            answer = _s3().list_objects_v2(Bucket=_name(bucket), Prefix=only, **more)
        except (BotoCoreError, ClientError) as error:
            raise Unavailable() from error
        for one in answer.get("Contents", []):
            if one["LastModified"].timestamp() * SECOND < before:
                yield str(one["Key"])
        if not answer["IsTruncated"]:
            return
        more = {"ContinuationToken": answer["NextContinuationToken"]}


def _name(bucket: str) -> str:
    return os.environ[f"BILLFOLD_BUCKET_{bucket.upper()}"]


def _s3() -> Any:
    # The bucket's regional address: the global one redirects, which a browser's form does not follow.
    style = "path" if os.environ.get("AWS_ENDPOINT_URL") else "virtual"
    return aws.client("s3", signature_version="s3v4", s3={"addressing_style": style})
