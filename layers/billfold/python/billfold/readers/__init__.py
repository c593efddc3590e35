"""Reading text in photos: the port, and the reader that this stage uses (`BILLFOLD_CARD_READER`).

    embedded   neural networks that ship with the function; no photo leaves it
    textract   Amazon Textract

A reader only recognises text; what it means, and which of several looks at a picture counts, is for `billfold.card_photos`.
"""

import importlib
import os
from collections.abc import Iterator
from typing import Protocol, cast

from billfold.card_photos.printed_lines import Line

MAX_BYTES = 8 * 1024 * 1024
KINDS = ("embedded", "textract")


class NoImage(Exception):
    """These bytes are no JPEG or PNG picture."""


class TooLarge(NoImage):
    """These bytes, or the picture's pixels, are too many to look at."""


class OutOfTime(Exception):
    """The picture was not read within the reader's time."""


class Reader(Protocol):
    """A module that reads."""

    def looks(self, image: bytes) -> Iterator[list[Line]]:
        """The lines of text in a JPEG or PNG picture, once for each way of looking at it; whoever has seen enough stops.

        NoImage for anything else, OutOfTime for too much of it, Unavailable when it should be asked again.
        """


def of_this_stage() -> Reader:
    """The reader that the environment names; imported only now, because readers are heavy."""
    kind = os.environ["BILLFOLD_CARD_READER"]
    if kind not in KINDS:
        raise LookupError(f"BILLFOLD_CARD_READER is one of {', '.join(KINDS)}")
    return cast(Reader, importlib.import_module(f"billfold.readers.{kind}"))
