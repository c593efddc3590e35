"""How much a benchmark does: what its figures need, or, with `--small`, as little as shows that it runs to its end."""

import os
from typing import TypeVar

T = TypeVar("T")
SETTING = "BILLFOLD_BENCH_SMALL"


def scaled(full: T, small: T) -> T:
    """The one that counts now."""
    return small if SETTING in os.environ else full
