"""Which tests run in one process, and which begin (pytest-xdist): `make test` should be done as soon as two cores can.

A file stays in one process, because its tests share what they stand on. The end-to-end tests share one local cloud. The longest
proofs are split by the step that they are about; those that look at every scenario's recording share them.
"""

from typing import Any
from zlib import crc32

from xdist.scheduler import LoadScopeScheduling

CLOUD = "tests/e2e/"
SPLIT = ("tests/proof/test_errors.py", "tests/proof/test_crashes.py", "tests/proof/test_bank_troubles.py")
PARTS = 4
RECORDED = ("tests/proof/test_counts.py", "tests/proof/test_direct.py", "tests/proof/test_permissions.py")
# In this order: the cloud takes one process for minutes, the others follow by their length.
FIRST = (CLOUD, *SPLIT, "tests/proof/test_leaks.py", "tests/workflows/", "tests/proof/")


def rank(nodeid: str) -> tuple[int, str]:
    """When a test's turn is: the place of its file among those that begin, and its unit."""
    place = next((place for place, path in enumerate(FIRST) if nodeid.startswith(path)), len(FIRST))
    return place, unit(nodeid)


def unit(nodeid: str) -> str:
    """The name of what runs in one process."""
    path, _, test = nodeid.partition("::")
    if path.startswith(CLOUD):
        return CLOUD
    if path in RECORDED:
        return "tests/proof/recordings"
    if path in SPLIT:
        # The parameter is "<step>: <case>".
        return f"{path}#{crc32(test.partition('[')[2].partition(':')[0].encode()) % PARTS}"
    return path


class Scheduling(LoadScopeScheduling):
    """Units in the order in which they were collected."""

    def __init__(self, config: Any, log: Any = None) -> None:
        super().__init__(config, log)
        config.option.loadscopereorder = False

    def _split_scope(self, nodeid: str) -> str:
        return unit(nodeid)
