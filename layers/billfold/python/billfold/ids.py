"""Identifiers: a prefix that tells the kind, then a UUID of version 7 (time-ordered) or one derived from what it stands for."""

import hashlib
import secrets


def new(prefix: str, now: int) -> str:
    """A fresh time-ordered id such as `bil_0199…`: 48 bits of milliseconds, then 74 random bits (RFC 9562, version 7)."""
    random = secrets.randbits(74)
    value = (now & (1 << 48) - 1) << 80 | 0x7 << 76 | (random >> 62) << 64 | 0b10 << 62 | random & (1 << 62) - 1
    return f"{prefix}_{value:032x}"


def derived(prefix: str, *parts: str) -> str:
    """The id that these parts always yield: the first 128 bits of SHA-256 over them, each preceded by its length."""
    digest = hashlib.sha256("".join(f"{len(part)}:{part}" for part in parts).encode()).hexdigest()
    return f"{prefix}_{digest[:32]}"
