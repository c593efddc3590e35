"""The reader that asks Amazon Textract, where a stage prefers it to the networks that ship with the function.

The photo is decoded and encoded anew first: what is no picture costs no call, and where and when it was taken stays here.
"""

import io
from collections.abc import Iterator
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from billfold import aws
from billfold.card_photos.printed_lines import Line
from billfold.errors import Unavailable
from billfold.readers import NoImage, pictures

# Textract takes 5 MB in a call; this side at this quality is about one.
MAX_SIDE = 2_400
QUALITY = 90
NOT_A_PICTURE = {"UnsupportedDocumentException", "BadDocumentException", "DocumentTooLargeException"}


def looks(image: bytes) -> Iterator[list[Line]]:
    """The lines of text in a photo of a card, which is looked at once."""
    picture = pictures.decoded(image)
    picture.thumbnail((MAX_SIDE, MAX_SIDE))
    sent = io.BytesIO()
    picture.save(sent, "JPEG", quality=QUALITY)
    answer = _detect(sent.getvalue())
    yield [_line(block, *picture.size) for block in answer["Blocks"] if block["BlockType"] == "LINE"]


def _line(block: dict[str, Any], width: int, height: int) -> Line:
    """Textract counts corners in parts of the picture, and confidence to 100."""
    a, b, c, d = ((point["X"] * width, point["Y"] * height) for point in block["Geometry"]["Polygon"])
    return Line(block["Text"], block["Confidence"] / 100, (a, b, c, d))


def _detect(image: bytes) -> dict[str, Any]:
    try:
        return dict(aws.client("textract").detect_document_text(Document={"Bytes": image}))
    except ClientError as error:
        if error.response["Error"]["Code"] in NOT_A_PICTURE:
            raise NoImage("Textract takes no such picture") from None
        raise Unavailable() from error
    except BotoCoreError as error:
        raise Unavailable() from error
