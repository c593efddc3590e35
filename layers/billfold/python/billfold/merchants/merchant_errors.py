"""The refusals of merchants; the tree that they belong to is drawn in `errors.py`."""

from billfold.errors import Refused


class MerchantSuspended(Refused):
    status = 403
    user = "This shop cannot take payments at the moment."
    operations = "Operations suspended this merchant."
    next = "ask_the_seller"
