"""Payment PINs as argon2id hashes. `BILLFOLD_PIN_COST` says what a try costs: KiB of memory and passes, such as `19456 2`.

Without the setting it costs what OWASP asks for at least (19 MiB, two passes, one lane; about 25 ms of CPU). A stage may ask
for more; only a sandbox, whose PINs guard no money, for less.
"""

import os

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError

LEAST_KIB, LEAST_PASSES = 19 * 1024, 2


def hasher(cost: str, *, sandbox: bool) -> PasswordHasher:
    """What hashes at this cost; ValueError for a setting that cannot be read, or that costs too little outside a sandbox."""
    memory_kib, passes = (int(part) for part in cost.split())
    if not sandbox and (memory_kib < LEAST_KIB or passes < LEAST_PASSES):
        raise ValueError(f"BILLFOLD_PIN_COST is at least {LEAST_KIB} {LEAST_PASSES}")
    return PasswordHasher(time_cost=passes, memory_cost=memory_kib, parallelism=1)


_hasher = hasher(
    os.environ.get("BILLFOLD_PIN_COST", f"{LEAST_KIB} {LEAST_PASSES}"),
    sandbox=os.environ.get("BILLFOLD_SANDBOX") == "1",
)


def hashed(pin: str) -> str:
    """A salted hash to store."""
    return _hasher.hash(pin)


def matches(stored: str, pin: str) -> bool:
    """Whether the PIN is the one that was hashed, at whatever cost it was."""
    try:
        return _hasher.verify(stored, pin)
    except VerifyMismatchError:
        return False
