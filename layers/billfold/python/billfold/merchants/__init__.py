"""Sellers and the registered devices that sign their items."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from billfold.merchants.merchant_errors import MerchantSuspended


@dataclass(frozen=True, slots=True)
class Merchant:
    merchant_id: str
    name: str
    admin: str
    suspended: bool = False


@dataclass(frozen=True, slots=True)
class Terminal:
    """A registered device that signs items. `public_key` is the raw Ed25519 key in base64; `suspended`: its merchant is."""

    terminal_id: str
    merchant: str
    name: str
    public_key: str
    revoked_at: int | None = None
    suspended: bool = False


def of_sellers(terminals: Iterable[Terminal], sellers: Iterable[Merchant]) -> dict[str, Terminal]:
    """The terminals by their ids, each suspended when the merchant whose it is, one of these sellers, is."""
    suspended = {merchant.merchant_id for merchant in sellers if merchant.suspended}
    return {each.terminal_id: replace(each, suspended=each.merchant in suspended) for each in terminals}


def check_active(one: Merchant | Terminal) -> None:
    """MerchantSuspended for what operations suspended: a merchant registers no terminal, and its terminals add nothing."""
    if one.suspended:
        raise MerchantSuspended()
