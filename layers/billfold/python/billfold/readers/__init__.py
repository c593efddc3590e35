"""Reading text in photos: the port, and the reader that this stage uses (`BILLFOLD_CARD_READER`).

    embedded   neural networks that ship with the function; no photo leaves it
    textract   Amazon Textract

A reader only recognises text; what it means is for `billfold.card_photos`.
"""

import importlib
import os
from typing import Protocol, cast

from billfold.card_photos import Line

MAX_BYTES = 8 * 1024 * 1024
KINDS = ("embedded", "textract")


class NoImage(Exception):
    """These bytes are no JPEG or PNG picture, or one that is too large to look at."""


class Reader(Protocol):
    """A module that reads."""

    def read(self, image: bytes) -> list[Line]:
        """The lines of text in a JPEG or PNG picture; NoImage for anything else, Unavailable when it should be asked again."""


def of_this_stage() -> Reader:
    """The reader that the environment names; imported only now, because readers are heavy."""
    kind = os.environ["BILLFOLD_CARD_READER"]
    if kind not in KINDS:
        raise LookupError(f"BILLFOLD_CARD_READER is one of {', '.join(KINDS)}")
    return cast(Reader, importlib.import_module(f"billfold.readers.{kind}"))
