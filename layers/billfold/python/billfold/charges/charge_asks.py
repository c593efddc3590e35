"""What a charge's bank is asked, by which of its calls (CB-21). Pure rules; the bank is passed in."""

from billfold import charges
from billfold.banks import Bank, Payment
from billfold.charges import Charge


def ask(bank: Bank, charge: Charge, now: int, *, asked: bool) -> Payment:
    """The bank's word. What was asked before is looked up first, and what is old is looked up only."""
    key = charge.charge_id
    if asked or not charges.may_ask(charge, now):
        known = bank.status(key, charge.of or charge.token)
        if isinstance(known, Payment) and known.outcome != "absent":
            return known
        if known.outcome == "unknown" or not charges.may_ask(charge, now):
            return Payment("unknown")
    if charge.purpose == "refund":
        return bank.refund(key, charge.of, charge.amount, charge.currency, charge.charge_id)
    return bank.charge(key, charge.token, charge.amount, charge.currency, charge.charge_id)
