"""How a bill may be opened (VB-03, VB-19). Pure rules."""

from billfold.clock import SECOND
from billfold.errors import Invalid


def check(currency: str, cap_currency: str, period: int, shortest: int) -> None:
    """Invalid for a cap in another currency than the bill's, and for a period shorter than this stage allows, in milliseconds."""
    if cap_currency != currency:
        raise Invalid("the cap is in the bill's currency", "/cap/currency")
    if period < shortest:
        raise Invalid(f"a period lasts at least {shortest // SECOND} seconds", "/period_seconds")
