"""The refusals of bills; the tree that they belong to is drawn in `errors.py`."""

from billfold.errors import Refused


class BillClosed(Refused):
    user = "This bill has closed. Start a new one."
    operations = "The bill's period is over or its verification has begun."
    next = "open_a_bill"


class BillFull(Refused):
    user = "This bill has no room for more. Close it and start a new one."
    operations = "A limit of items or sellers per bill was reached."
    next = "close_the_bill"


class BillStateConflict(Refused):
    user = "This bill is {state}; that cannot be done now."
    operations = "The bill's state does not allow this step."
    next = "look_at_the_bill"


class CapExceeded(Refused):
    user = "This would take the bill over your cap."
    operations = "The item would raise the total above the cap set at opening."
    next = "pay_otherwise"


class ItemStateConflict(Refused):
    user = "This item is {state}; that cannot be done now."
    operations = "The item's state does not allow this step."
    next = "look_at_the_bill"


class ListChanged(Refused):
    user = "The bill has changed. Look at it again before you pay."
    operations = "The verification named the hash of another list; `verification` is the current one."
    next = "verify_the_new_list"


class VerificationExpired(Refused):
    user = "The time to verify this bill is over."
    operations = "Not verified within 30 minutes of closing."
    next = "contact_the_seller"


class TerminalRefused(Refused):
    user = "This terminal cannot add to your bill."
    operations = "The terminal is unknown or revoked."
    next = "ask_the_seller"


class SignatureInvalid(Refused):
    user = "This item could not be verified."
    operations = "The Ed25519 signature does not match the item's canonical form."
    next = "tap_again"


class CounterReused(Refused):
    user = "This item could not be verified."
    operations = "The terminal's counter did not rise on this bill: a copy, or a cloned terminal."
    next = "tap_again"
