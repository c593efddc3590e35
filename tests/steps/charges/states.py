"""The states of top-ups: what the code lists, where it reaches them, and what is a refund's there, which is no resource."""

from billfold import charges
from billfold.charges import charge_wire

RESOURCES = {"TopUpAnswer": (tuple(charge_wire.TEXTS), (charges,), {"failed"})}
