"""Sellers and the registered devices that sign their items."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Merchant:
    merchant_id: str
    name: str
    admin: str


@dataclass(frozen=True, slots=True)
class Terminal:
    """A registered device that signs items. `public_key` is the raw Ed25519 key in base64."""

    terminal_id: str
    merchant: str
    name: str
    public_key: str
    revoked_at: int | None = None
