"""Starting a photo of a card: a form that allows exactly one upload."""

import base64
import json

import pytest

from billfold.clock import MINUTE, from_text
from tests import world
from tests.world import Person, call, photo_world


def start(person, **options):
    return call("POST", "/v1/card-photos", person, {"content_type": "image/png"}, **options)


def policy(form):
    return json.loads(base64.b64decode(form["fields"]["policy"]))


def test_the_form_uploads_this_one_object_of_this_type_within_bounds(bucket, visitor):
    """CB-02: any other name, type, size or bucket is refused by S3."""
    answer = start(visitor)
    assert answer.status == 201
    form = answer.body["upload"]
    assert form["method"] == "POST"
    assert "billfold-photos" in form["url"]
    assert {"key": answer.body["id"], "Content-Type": "image/png"}.items() <= form["fields"].items()
    conditions = policy(form)["conditions"]
    assert {"key": answer.body["id"]} in conditions
    assert {"Content-Type": "image/png"} in conditions
    assert {"bucket": "billfold-photos"} in conditions
    assert ["content-length-range", 1, 8 * 1024 * 1024] in conditions
    assert not [one for one in conditions if isinstance(one, list) and one[0] == "starts-with"]


def test_the_form_and_the_photo_end_in_time(bucket, visitor):
    """CB-19: ten minutes to upload; the sweep then has two of the fifteen to come."""
    body = start(visitor).body
    upload_by, ends = from_text(body["upload"]["expires_at"]), from_text(body["expires_at"])
    assert ends - upload_by == 3 * MINUTE
    assert from_text(policy(body["upload"])["expiration"]) <= upload_by
    assert body["state"] == "awaiting_upload"
    assert photo_world.shown(visitor, body["id"]).body == {
        "id": body["id"],
        "state": "awaiting_upload",
        "expires_at": body["expires_at"],
    }


def test_a_repeat_gets_the_same_photo_and_form(bucket, visitor, store):
    """LG-10: one photo, however often it was asked for."""
    first, again = start(visitor, key="once"), start(visitor, key="once")
    assert again.body == first.body
    assert len([row for row in store.rows("photos") if row["owner"]["S"] == visitor.user_id]) == 1
    assert start(visitor, key="twice").body["id"] != first.body["id"]


def test_who_is_unknown_or_not_signed_in_starts_nothing(bucket, store):
    """CB-01: nothing is stored."""
    before = store.rows("photos")
    assert start(None).status == 401
    assert start(Person()).code == "user_unknown"
    assert store.rows("photos") == before


@pytest.mark.parametrize("content_type", ["image/gif", "text/html", "image/jpeg; x=y", "", None, 5])
def test_other_content_types_are_refused(bucket, content_type):
    """CB-02: JPEG and PNG."""
    answer = call("POST", "/v1/card-photos", world.joined(pin=None), {"content_type": content_type})
    assert answer.status == 400
    assert answer.body["pointer"] == "/content_type"


def test_thirty_photos_an_hour_are_enough(bucket, store):
    """CB-17: the next one is refused until the first is an hour old; nothing is stored, and another user goes on."""
    person = world.joined(pin=None)
    assert {start(person).status for _ in range(30)} == {201}
    refused = start(person)
    assert (refused.status, refused.code) == (429, "too_many_photos")
    assert 3_500 < int(refused.headers["Retry-After"]) <= 3_600
    assert start(world.joined(pin=None)).status == 201
