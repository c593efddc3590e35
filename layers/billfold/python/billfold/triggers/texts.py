"""Free text: what a name or a reason may be made of, one rule for all that people and tills write.

A text is shown to others, kept for years and carried by queues and files, so it is refused when it could not be shown as it
is: control characters, noncharacters, half characters, and characters that nobody sees or that turn the order of others. It
is in Unicode's normal form C, so that what looks the same is the same. It is no place for a card number (CB-18).
"""

import re
import unicodedata
from typing import Any

from billfold import card_numbers

# Unicode 15's control and format characters, line and paragraph separators, fillers, and what is reserved for the like.
# ZWNJ, ZWJ and the Mongolian vowel separator are judged by their neighbours; signs that stand before Arabic numbers are seen.
UNSHOWABLE = (
    *((0x0000, 0x001F), (0x007F, 0x009F), (0x00AD, 0x00AD), (0x034F, 0x034F), (0x061C, 0x061C), (0x115F, 0x1160)),
    *((0x17B4, 0x17B5), (0x200B, 0x200B), (0x200E, 0x200F), (0x2028, 0x202E), (0x2060, 0x206F), (0x3164, 0x3164)),
    *((0xFDD0, 0xFDEF), (0xFEFF, 0xFEFF), (0xFFA0, 0xFFA0), (0xFFF0, 0xFFFB), (0xFFFE, 0xFFFF)),
    *((0x13430, 0x1343F), (0x1BCA0, 0x1BCA3), (0x1D173, 0x1D17A), (0xE0000, 0xE00FF), (0xE01F0, 0xE0FFF)),
    *((plane << 16 | 0xFFFE, plane << 16 | 0xFFFF) for plane in range(1, 17)),
)
SURROGATES = (0xD800, 0xDFFF)
# They shape letters of Persian, Indic and Mongolian scripts and join emoji; beside anything of ASCII they only hide.
JOINERS = "\u200c\u200d\u180e"
_JOINED = f"[^\\x00-\\x7f{JOINERS}]"
_UNSHOWABLE = re.compile(
    "[" + "".join(f"{chr(low)}-{chr(high)}" for low, high in (*UNSHOWABLE, SURROGATES)) + "]"
    f"|(?<!{_JOINED})[{JOINERS}]|[{JOINERS}](?!{_JOINED})"
)
# The flags of England, Scotland and Wales are spelt in characters that are invisible anywhere else.
_FLAG = re.compile("\U0001f3f4[\U000e0020-\U000e007e]{1,31}\U000e007f")
# What JSON Schema can say of it, in the dialect that all its readers understand.
PATTERN = "^[^{}]*$".format("".join(f"\\u{low:04X}-\\u{high:04X}" for low, high in UNSHOWABLE if high <= 0xFFFF))
RULE = "no control or invisible characters, in Unicode's normal form C, not blank, and no card number"


class _TextType(type):
    """Makes each kind of text a check: calling it gives the plain text back, and any text is an instance of it."""

    longest: int

    def __call__(cls, value: Any) -> Any:
        return checked(value, cls.longest)

    def __instancecheck__(cls, value: Any) -> bool:
        return isinstance(value, str)


class Text(str, metaclass=_TextType):
    """A free text; a subclass says how many characters are the most."""

    longest = 0


def schema(kind: type[Text]) -> dict[str, Any]:
    """What the contract says of a kind of text."""
    return {"type": "string", "minLength": 1, "maxLength": kind.longest, "pattern": PATTERN, "description": RULE}


def checked(value: Any, longest: int) -> str:
    """The text; TypeError or ValueError with what is wrong, which never repeats any of it."""
    if not isinstance(value, str):
        raise TypeError("a text is expected")
    if not 0 < len(value) <= longest:
        raise ValueError(f"a text of 1 to {longest} characters is expected")
    if _UNSHOWABLE.search(_FLAG.sub("", value)):
        raise ValueError("the text has a control character, or one that nobody can see")
    if not unicodedata.is_normalized("NFC", value):
        raise ValueError("the text is not in Unicode's normal form C (NFC)")
    if not any(_seen(character) for character in value):
        raise ValueError("the text is blank")
    if has_card_number(value):
        raise ValueError("the text has what looks like a card number, which must not be written here")
    return value


def _seen(character: str) -> bool:
    """Whether it puts ink on paper: a letter, a digit, a sign, but no space, no lone mark and no empty Braille cell."""
    return unicodedata.category(character)[0] in "LNPS" and character != "\u2800"


def has_card_number(text: str) -> bool:
    """Whether 12 to 19 digits of any script in a row, with or without anything but letters between, could be a card's."""
    digits = "".join(_digit(character) for character in text)
    for part in digits.split("x"):
        groups = part.split()
        for start in range(len(groups)):
            number = ""
            for group in groups[start:]:
                number += group
                if len(number) > 19:
                    break
                # An article's number on a receipt passes for a card's one time in ten.
                if card_numbers.plausible(number) and not (number == group and _is_gtin(number)):
                    return True
    return False


def _digit(character: str) -> str:
    value = unicodedata.digit(character, None)
    if value is not None:
        return str(value)
    return "x" if character.isalnum() else " "


def _is_gtin(number: str) -> bool:
    """Whether it is a GS1 article number by length and check digit (on goods as EAN-13, UPC-A and the like)."""
    weighed = (int(digit) * (1 + 2 * (place % 2)) for place, digit in enumerate(reversed(number)))
    return len(number) in (12, 13, 14) and sum(weighed) % 10 == 0
