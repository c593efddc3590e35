"""Canaries: cards and people that exist nowhere else, and every form in which something of them could be found again.

Short digits need care both ways. False alarms are kept out because every CVV and wrong code begins with a zero, as no number
that a computer writes does, because they are looked for between characters that are no digits, and because what is made up
at random (ids, hashes, keys: long runs of hex, UUIDs, 32 bytes in base64) is taken out first. Misses are kept out because a code
glued to other digits
or into a long run of hex is no form that anybody writes by accident, while hex, base64 and reversed codes are looked for too;
a CVV that lost its zero on becoming a number is looked for beside its field's name.
"""

import base64
import random
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from urllib.parse import quote

from sandbox_bank import behaviours

# A UUID may be glued to anything: ciphertexts begin with their key's, and go on with any byte. A thumbprint or a key's coordinate
# is 32 bytes in base64, 43 characters, in which four digits stand by chance.
MADE_UP = re.compile(
    r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|(?=[0-9]*[A-Fa-f])[0-9A-Fa-f]{16,}"
    r"|dev_[A-Za-z0-9_-]{43}|(?<![A-Za-z0-9_-])[A-Za-z0-9_-]{43}(?![A-Za-z0-9_-])"
)
RIGHT_CODE = "123456"
WRONG_CODES = 6


@dataclass(frozen=True)
class Canary:
    """A person with a card. `number` is valid; `secrets` are what must be found nowhere."""

    behaviour: str
    number: str
    rest: int
    cvv: str
    document: str
    phone: str
    name: str
    codes: tuple[str, ...] = field(default=())

    @property
    def near_miss(self) -> str:
        """The number with its last digit wrong."""
        return self.number[:-1] + str((int(self.number[-1]) + 1) % 10)

    @property
    def long_secrets(self) -> tuple[str, ...]:
        return (self.number, self.near_miss, self.document, self.phone.removeprefix("+"), self.name)

    @property
    def short_secrets(self) -> tuple[str, ...]:
        return (self.cvv, RIGHT_CODE, *self.codes)


def hatch(behaviour: str, digits: str, chance: random.Random) -> Canary:
    """A canary whose card begins with these digits."""
    rest = chance.randrange(10 ** (14 - len(digits)), 10 ** (15 - len(digits)))
    return Canary(
        behaviour,
        behaviours.number(digits, rest),
        rest,
        f"0{chance.randrange(100, 1_000)}",
        f"C{chance.randrange(10**7, 10**8)}T{chance.randrange(10, 100)}",
        f"+49151{chance.randrange(10**7, 10**8)}",
        f"Canary {''.join(chance.choices('abcdefghijklmnop', k=12)).title()}",
        tuple(f"0{chance.randrange(10**4, 10**5)}" for _ in range(WRONG_CODES)),
    )


def flock(each: int = 1) -> list[Canary]:
    """So many canaries of each behaviour of the sandbox bank, of the late approval, and of a bank that nobody serves."""
    chance = random.Random(18)
    kinds = [(one.name, one.digits + ("0060" if one.late else "")) for one in behaviours.ALL]
    kinds += [("late_for_ever", behaviours.NAMED["late"].digits + "9000"), ("unsupported", behaviours.NOBODYS_DIGITS)]
    kinds += [("typed", behaviours.DEFAULT.digits)]
    return [hatch(name, digits, chance) for name, digits in kinds for _ in range(each)]


def covey(name: str, count: int) -> list[Canary]:
    """So many canaries whose cards are approved, named alike."""
    chance = random.Random(name)
    return [hatch(name, behaviours.DEFAULT.digits, chance) for _ in range(count)]


# ---------------------------------------------------------------------------------------------------------------- forms


def _base64(text: str) -> Iterator[tuple[str, str]]:
    """What is certain of a text's base64, wherever in a longer text it stands."""
    for shift in range(3):
        for name, encode in (("base64", base64.b64encode), ("urlsafe base64", base64.urlsafe_b64encode)):
            encoded = encode(b"\0" * shift + text.encode()).decode()
            yield f"{name}, shifted by {shift}", encoded[-(-shift * 8 // 6) : (shift + len(text.encode())) * 8 // 6]


def long_forms(text: str) -> dict[str, str]:
    """Name to form of a number of many digits, or of words."""
    fours = [text[start : start + 4] for start in range(0, len(text), 4)]
    found = {
        "plain": text,
        "reversed": text[::-1],
        "hex": text.encode().hex(),
        "upper hex": text.encode().hex().upper(),
        "url": quote(text),
        "url, every character": "".join(f"%{byte:02X}" for byte in text.encode()),
        **dict(_base64(text)),
    }
    if text.isdigit():
        found |= {"grouped by spaces": " ".join(fours), "grouped by dashes": "-".join(fours), "last ten": text[-10:]}
    return found


def short_forms(text: str) -> dict[str, str]:
    """Name to form of a code or a CVV; `search` says how each is looked for."""
    found = {"plain": text, "hex": text.encode().hex()}
    if len(text) > 4:
        return found | {"reversed": text[::-1]} | dict(_base64(text))
    # Backwards a CVV is any number, and shifted four characters of base64 are left of it: both turn up by chance.
    return found | {"base64": base64.b64encode(text.encode()).decode()}


@dataclass(frozen=True)
class Pattern:
    canary: Canary
    secret: str
    form: str
    text: str
    short: bool

    def __str__(self) -> str:
        """Which secret it is, for whoever reads the failing test."""
        return f"{self.secret} ({self.form}) of {self.canary.behaviour}"


def patterns(canaries: Iterable[Canary]) -> list[Pattern]:
    """All that is looked for."""
    found = []
    for canary in canaries:
        for secret in canary.long_secrets:
            found += [Pattern(canary, secret, form, text, False) for form, text in long_forms(secret).items()]
        for secret in canary.short_secrets:
            found += [Pattern(canary, secret, form, text, True) for form, text in short_forms(secret).items()]
    return list({(one.text, one.short): one for one in found}.values())


def search(sought: Iterable[Pattern], texts: Iterable[str]) -> list[Pattern]:
    """Every pattern that is in one of the texts."""
    whole = "\n".join(texts)
    bare = MADE_UP.sub("~", whole)
    digits = set(re.findall(r"(?<![0-9])[0-9]{4,12}(?![0-9])", bare))
    named = set(re.findall(r"cv[vc]2?\W{1,6}0?([0-9]{3,4})(?![0-9])", whole, re.IGNORECASE))
    return [one for one in sought if _is_in(one, whole, bare, digits, named)]


def _is_in(one: Pattern, whole: str, bare: str, digits: set[str], named: set[str]) -> bool:
    if not one.short:
        return one.text in whole
    # The hex of digits is digits too, eight of which turn up within longer numbers by chance.
    if one.text.isdigit():
        return one.text in digits or (one.form == "plain" and one.text.lstrip("0") in named)
    return one.text in bare
