"""Banks on loopback for the tests of the adapters."""

from tests.world.bank_fixtures import bank, receiver, sandbox

__all__ = ["bank", "receiver", "sandbox"]
