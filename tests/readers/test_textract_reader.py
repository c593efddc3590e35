"""Reading by Amazon Textract: the shapes of its API, as botocore's own model of it knows them."""

import base64
import io
import json
import random
from types import SimpleNamespace

import pytest
from botocore.exceptions import ReadTimeoutError
from botocore.stub import ANY, Stubber
from PIL import Image

from billfold import aws, card_photos
from billfold.card_photos import Reading
from billfold.errors import Unavailable
from billfold.readers import NoImage, textract
from infra.demo import card_pictures as rendering


def block(kind, text, left, top, confidence=99.5):
    corners = [(left, top), (left + 0.3, top), (left + 0.3, top + 0.05), (left, top + 0.05)]
    geometry = {"Polygon": [{"X": x, "Y": y} for x, y in corners]}
    return {"BlockType": kind, "Text": text, "Confidence": confidence, "Geometry": geometry}


@pytest.fixture
def answers():
    """Textract's client, whose answers a test gives; it refuses what the API's model does not know."""
    with Stubber(aws.client("textract")) as stubbed:
        yield stubbed


@pytest.fixture
def door():
    """Registers what answers Textract's calls in its place, given what is sent."""
    events, taken = aws.client("textract").meta.events, []

    def stand_in(answer):
        taken.append(lambda params, **_: answer(json.loads(params["body"])))
        events.register("before-call.textract", taken[-1])

    yield stand_in
    for each in taken:
        events.unregister("before-call.textract", each)


@pytest.fixture(scope="module")
def photo():
    chance = random.Random("textract")
    return rendering.photo(rendering.card(chance), "flat", chance)


def test_lines_come_with_confidences_and_corners_in_pixels(answers, photo):
    """CB-02: the same lines as any reader's; words and pages are left out."""
    blocks = [
        {"BlockType": "PAGE", "Geometry": {"Polygon": []}},
        block("LINE", "4242 4242 4242 4242", 0.1, 0.5),
        block("WORD", "4242", 0.1, 0.5),
        block("LINE", "VALID THRU 12/27", 0.1, 0.7, 80.0),
    ]
    answers.add_response("detect_document_text", {"Blocks": blocks}, {"Document": {"Bytes": ANY}})
    (lines,) = textract.looks(photo)
    assert [(line.text, line.confidence) for line in lines] == [
        ("4242 4242 4242 4242", 0.995),
        ("VALID THRU 12/27", 0.8),
    ]
    width, height = Image.open(io.BytesIO(photo)).size
    assert lines[0].box[0] == pytest.approx((0.1 * width, 0.5 * height))
    found = card_photos.read([lines])
    assert isinstance(found, Reading)
    assert found.number.value == "4242424242424242"
    answers.assert_no_pending_responses()


def test_what_is_sent_is_small_and_says_nothing_of_the_phone(door):
    """CB-02: Textract takes five megabytes; where a photo was taken is nobody's business."""
    sent = []
    large = Image.effect_noise((3_600, 3_200), 60).convert("RGB")
    exif = Image.Exif()
    exif[0x010F] = "Phone of Amelia"
    file = io.BytesIO()
    large.save(file, "JPEG", quality=60, exif=exif)

    def nothing_read(body):
        sent.append(base64.b64decode(body["Document"]["Bytes"]))
        return SimpleNamespace(status_code=200), {"Blocks": []}

    door(nothing_read)
    assert list(textract.looks(file.getvalue())) == [[]]
    assert len(sent[0]) < 5_000_000
    assert b"Amelia" in file.getvalue()
    assert b"Amelia" not in sent[0]


@pytest.mark.parametrize(
    ("code", "refusal"),
    [
        ("BadDocumentException", NoImage),
        ("UnsupportedDocumentException", NoImage),
        ("ThrottlingException", Unavailable),
        ("ProvisionedThroughputExceededException", Unavailable),
        ("InternalServerError", Unavailable),
        ("AccessDeniedException", Unavailable),
    ],
)
def test_what_textract_refuses_is_no_picture_and_what_fails_is_asked_again(answers, photo, code, refusal):
    """CB-02: an outage is not told as an unreadable card."""
    answers.add_client_error("detect_document_text", code)
    with pytest.raises(refusal):
        list(textract.looks(photo))


def test_no_answer_is_asked_again(door, photo):
    """CB-02: a time-out is an outage."""

    def silent(_):
        raise ReadTimeoutError(endpoint_url="textract")

    door(silent)
    with pytest.raises(Unavailable):
        list(textract.looks(photo))


def test_what_is_no_picture_costs_no_call(answers):
    """CB-02: refused here."""
    with pytest.raises(NoImage):
        list(textract.looks(b"not a picture"))
