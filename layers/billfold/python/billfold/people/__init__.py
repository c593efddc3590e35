"""Who may act: users, their devices, and what verifies a payment. Pure rules; the PIN's hashing is passed in as a function.

A verification is a tagged object: today a PIN; a passkey can join as another type with its own `verify` (VB-14).
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

from billfold import errors
from billfold.clock import MINUTE
from billfold.people import people_errors

PIN_TRIES = 3
PIN_LOCK = 15 * MINUTE
MAX_DEVICES = 20
# The commonest PINs that no pattern below catches, from published leaks: keypad lines and years of habit.
COMMON_PINS = frozenset(
    {"2580", "0852", "1357", "2468", "1470", "1004", "6969", "159753", "147258", "258456", "147852"}
)


@dataclass(frozen=True, slots=True)
class Pin:
    """A payment PIN's stored state: an argon2 hash (empty: never set), wrong tries in a row, locked until when, and when a wrong
    try was last counted. `revision` grows with every change of it: a state that is over never comes back."""

    hash: str = ""
    tries: int = 0
    locked_until: int = 0
    wrong_at: int = 0
    revision: int = 0


@dataclass(frozen=True, slots=True)
class User:
    user_id: str
    suspended: bool = False
    pin: Pin = field(default=Pin())
    merchants: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Device:
    """One phone: its public key (JWK, RFC 7517) and, while one is open, its bill."""

    device_id: str
    name: str
    jwk: dict[str, Any]
    thumbprint: str
    registered_at: int
    bill: str = ""
    bill_until: int = 0


def check_active(user: User | None) -> User:
    """The user, if known and not suspended (VB-01)."""
    if user is None:
        raise people_errors.UserUnknown()
    if user.suspended:
        raise people_errors.UserSuspended()
    return user


def check_registered(user: User | None, device: Device | None) -> None:
    """The user is known and not suspended, and the phone that acts is one of theirs (VB-01)."""
    check_active(user)
    if device is None:
        raise people_errors.DeviceUnknown()


def check_own_device(owner: str, device_id: str, user: User | None, proven: Device | None) -> User:
    """The user, when this is the owner acting on the very device; to anyone else the thing does not exist (XX-05, VB-02)."""
    if user is None or user.user_id != owner:
        raise errors.NotFound()
    if proven is None or proven.device_id != device_id:
        raise people_errors.DeviceMismatch()
    return check_active(user)


def check_pin_strength(pin: str) -> None:
    """PinTooObvious for repeated digits or pairs, runs up or down, and the commonest PINs."""
    steps = {(int(b) - int(a)) % 10 for a, b in pairwise(pin)}
    repeated = re.fullmatch(r"(.{1,3})\1+", pin)
    if repeated or (len(steps) == 1 and steps <= {0, 1, 9}) or pin in COMMON_PINS:
        raise people_errors.PinTooObvious("the PIN is too easy to guess", "/pin")


def check_pin_usable(pin: Pin, now: int) -> Pin:
    """The PIN ready for a try: PinMissing or PinLocked when there is none to make. A lock that is over starts anew."""
    if not pin.hash:
        raise people_errors.PinMissing()
    if pin.locked_until > now:
        raise people_errors.PinLocked(retry_after_seconds=-(-(pin.locked_until - now) // 1000), tries_left=0)
    return pin


def after_wrong_pin(pin: Pin, now: int) -> tuple[Pin, errors.Refusal]:
    """The PIN after one more wrong try, and what to answer (VB-15): three lock it for 15 minutes."""
    tries = 1 if pin.locked_until else pin.tries + 1
    if tries >= PIN_TRIES:
        locked = replace(pin, tries=tries, locked_until=now + PIN_LOCK, wrong_at=now)
        return locked, people_errors.PinLocked(retry_after_seconds=PIN_LOCK // 1000, tries_left=0)
    return replace(pin, tries=tries, locked_until=0, wrong_at=now), people_errors.PinWrong(tries_left=PIN_TRIES - tries)


def after_right_pin(pin: Pin, new_hash: str = "") -> Pin:
    """The PIN after a right try, which forgives the wrong ones before it; with `new_hash`, the PIN that is now set."""
    return replace(pin, hash=new_hash or pin.hash, tries=0, locked_until=0)


def tries_left(pin: Pin, now: int) -> int:
    """How many wrong tries remain before the lock."""
    if pin.locked_until:
        return 0 if pin.locked_until > now else PIN_TRIES
    return PIN_TRIES - pin.tries


@dataclass(frozen=True, slots=True)
class PinVerification:
    """Knowledge of the payment PIN. `matches(hash, pin)` is the slow hash's comparison, passed in."""

    pin: str
    method: str = "pin"

    def verify(self, stored: Pin, now: int, matches: Callable[[str, str], bool]) -> tuple[Pin, errors.Refusal] | None:
        """None when it is right; otherwise the PIN with the try counted and the refusal to answer."""
        if matches(check_pin_usable(stored, now).hash, self.pin):
            return None
        return after_wrong_pin(stored, now)
