"""Payment PINs as argon2id hashes (OWASP's parameters: 19 MiB, two passes, one lane; about 25 ms of CPU a try)."""

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError

_hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)


def hashed(pin: str) -> str:
    """A salted hash to store."""
    return _hasher.hash(pin)


def matches(stored: str, pin: str) -> bool:
    """Whether the PIN is the one that was hashed."""
    try:
        return _hasher.verify(stored, pin)
    except VerifyMismatchError:
        return False
