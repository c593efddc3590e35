"""What tests cost: CPU-seconds and wall seconds a test by kind, and where the time of each process went.

    .venv/bin/python -m tests.cost tests -n auto       # the whole suite; any of pytest's arguments
    .venv/bin/python -m tests.cost tests/steps --durations=20

A kind is a folder of `tests/`. A test's CPU-seconds are those of its process and of that process's children (the DynamoDB
engine; not the local cloud, which is detached), from its setup to its teardown; what a file or a run sets up is with its first
test. Figures of running children come from Linux's /proc. `build/cost.jsonl` has a line a test: its id, its process, when it
began and ended (Unix time), its CPU-seconds.
"""

import json
import os
import pathlib
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import pytest
from rich.console import Console
from rich.table import Table

WRITTEN = pathlib.Path("build/cost.jsonl")
PROC = pathlib.Path("/proc")
MEASURED = "cost"
SLOWEST = 25


def cpu_seconds() -> float:
    """This process's CPU-seconds and its children's, those that have ended and those that run."""
    own = os.times()
    ended = own.user + own.system + own.children_user + own.children_system
    return ended + sum(_descendants(os.getpid()))


def _descendants(process: int) -> Iterator[float]:
    for listing in PROC.glob(f"{process}/task/*/children"):
        for child in listing.read_text().split():
            try:
                fields = (PROC / child / "stat").read_text().rpartition(")")[2].split()
            except FileNotFoundError:
                continue
            # utime, stime, cutime and cstime, after the name in parentheses.
            yield sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")
            yield from _descendants(int(child))


class Meter:
    """In each process that runs tests: what each of them took rides on its last report."""

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        self._began, self._cpu = time.time(), cpu_seconds()
        return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, call: pytest.CallInfo[None]) -> Iterator[None]:
        report: Any = yield
        if call.when == "teardown":
            report.user_properties.append((MEASURED, (self._began, time.time(), cpu_seconds() - self._cpu)))
        return report


class Summary:
    """In the process where all reports arrive: the tables at the end."""

    def __init__(self) -> None:
        self._began = time.time()
        self._tests: list[tuple[str, str, float, float, float]] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "teardown":
            measured = dict(report.user_properties)[MEASURED]
            self._tests.append((report.nodeid, getattr(report, "worker_id", "main"), *measured))

    def pytest_terminal_summary(self) -> None:
        console = Console(width=160)
        WRITTEN.parent.mkdir(exist_ok=True)
        WRITTEN.write_text("".join(json.dumps(test) + "\n" for test in self._tests))
        console.print(self._by("kind", lambda nodeid: nodeid.split("/")[1]))
        console.print(self._by("file", lambda nodeid: nodeid.partition("::")[0], SLOWEST))
        console.print(self._by("test", lambda nodeid: nodeid, SLOWEST))
        console.print(self._processes())

    def _by(self, name: str, key: Any, most: int = sys.maxsize) -> Table:
        """Tests added up by a key, what took most CPU first."""
        sums: dict[str, list[float]] = defaultdict(lambda: [0, 0.0, 0.0])
        for nodeid, _, began, ended, cpu in self._tests:
            for place, value in enumerate((1, cpu, ended - began)):
                sums[key(nodeid)][place] += value
        table = Table("tests", "CPU s", "wall s", "CPU ms a test", name)
        for found, (count, cpu, wall) in sorted(sums.items(), key=lambda pair: -pair[1][1])[:most]:
            table.add_row(f"{count:,.0f}", f"{cpu:.1f}", f"{wall:.1f}", f"{cpu / count * 1000:.0f}", found)
        return table

    def _processes(self) -> Table:
        """When each process ran its first test and its last, in seconds of the run."""
        table = Table(
            "process", "first test at", "last test ended", "CPU s", title=f"{time.time() - self._began:.0f} s"
        )
        for process in sorted({test[1] for test in self._tests}):
            own = [test for test in self._tests if test[1] == process]
            first, last = min(test[2] for test in own) - self._began, max(test[3] for test in own) - self._began
            table.add_row(process, f"{first:.1f}", f"{last:.1f}", f"{sum(test[4] for test in own):.1f}")
        return table


def pytest_configure(config: pytest.Config) -> None:
    """Every process that runs tests measures; the one that hears all reports adds up."""
    distributes = bool(getattr(config.option, "dist", "no") != "no")
    if not distributes:
        config.pluginmanager.register(Meter())
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Summary())


if __name__ == "__main__":
    sys.exit(pytest.main(["-p", "tests.cost", *sys.argv[1:]]))
