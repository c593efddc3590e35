"""Identifiers: a prefix that tells the kind, then a UUID of version 7 (time-ordered) or one derived from what it stands for."""

import hashlib
import secrets

# Every id is one of these: a device's has its key's thumbprint (RFC 7638), any other 128 bits in hex. So nothing else that
# stands in an id's place, such as a card number, is looked up, stored or logged (CB-18).
SHAPE = r"dev_[A-Za-z0-9_-]{43}|(?!dev_)[a-z]{3}_[0-9a-f]{32}"


def new(prefix: str, now: int) -> str:
    """A fresh time-ordered id such as `bil_0199…`: 48 bits of milliseconds, then 74 random bits (RFC 9562, version 7)."""
    random = secrets.randbits(74)
    value = (now & (1 << 48) - 1) << 80 | 0x7 << 76 | (random >> 62) << 64 | 0b10 << 62 | random & (1 << 62) - 1
    return f"{prefix}_{value:032x}"


def derived(prefix: str, *parts: str) -> str:
    """The id that these parts always yield: the first 128 bits of SHA-256 over them, each preceded by its length."""
    digest = hashlib.sha256("".join(f"{len(part)}:{part}" for part in parts).encode()).hexdigest()
    return f"{prefix}_{digest[:32]}"
