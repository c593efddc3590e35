"""The refusals of the ledger; the tree that they belong to is drawn in `errors.py`."""

from billfold.errors import Refused


class BalanceTooLow(Refused):
    user = "There is not enough money in this wallet."
    operations = "The write's condition or the rule found less available than the debit."
    next = "top_up_or_use_another_instrument"


class TransferTooLarge(Refused):
    user = "This amount is above the limit of {limit_minor}."
    operations = "Amounts are at most 10^12 minor units."
    next = "use_a_smaller_amount"


class AlreadyResolved(Refused):
    user = "This has already been settled."
    operations = "A hold is posted, voided or expired at most once."
    next = "none"


class HoldExpired(Refused):
    user = "The reservation has run out."
    operations = "The hold's deadline passed before it was posted."
    next = "start_again"
