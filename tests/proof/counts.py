"""What each step costs on its success path, counted: `python -m tests.proof.counts` prints the table (`--write`: docs/costs.md).

calls     AWS calls in order, and those of banks
rounds    rounds of reads, one where none needs the answer of another
written   write units, read: read units, as DynamoDB counts them (transactions twice, indexes included)
loaded    first-party files that the function imports
followed  first-party files, and lines of functions, that the run goes through; depth: how many files a call goes
          through beyond the step's own. What every HTTP step goes through (the way in and out) is counted once,
          as check_health's
"""

import json
import os
import subprocess
import sys
import types
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import jwt

from billfold.triggers import public_keys
from infra.plan import steps
from infra.plan.stages import ROOT
from tests.cloud import direct, secret_store
from tests.cloud.engine import Engine
from tests.proof import plays, scenarios
from tests.proof.harness import Harness, set_up
from tests.proof.plays import Play, Scenario
from tests.proof.wire import Call

PAGE = ROOT / "docs/costs.md"
HEAD = """# What each step costs

<!-- Written by `make written`. -->

Counted, not estimated, on each step's success path: its AWS calls and those of banks; rounds of reads, one where none needs the
answer of another; write and read units as DynamoDB counts them, index writes included; the first-party files that the function
imports; and the first-party files and lines of functions that the run goes through, with how many files a call goes deep.
What every HTTP step goes through is counted once, as check_health's. A test compares this table with a run.

"""
LAYER = str(ROOT / "layers/billfold/python/billfold") + os.sep
FUNCTIONS = str(ROOT / "functions") + os.sep
TESTS = str(ROOT / "tests") + os.sep
READS = ("Query", "BatchGetItem")


@dataclass(frozen=True)
class Count:
    """One step's line of the table."""

    step: str
    calls: tuple[str, ...]
    rounds: int
    written: float
    read: float
    loaded: int
    files: int
    lines: int
    depth: int


def count_all(harness: Harness) -> list[Count]:
    """Every step, by the first of its scenarios, in the order of the map."""
    loaded = _loaded()
    way_in = follow(plays.play(harness, success("check_health"))).codes
    return [_count(harness, step.name, loaded[step.name], way_in) for step in steps.load()]


def success(step: str) -> Scenario:
    """A step's first scenario is the success that its line counts."""
    found = next((one for one in scenarios.ALL if one.step == step), None)
    if found is None:
        raise LookupError(f"{step} has no scenario: add one to its workflow's tests/proof/*_scenarios.py")
    return found


def _count(harness: Harness, step: str, loaded: int, way_in: set[types.CodeType]) -> Count:
    scenario = success(step)
    play = plays.play(harness, scenario)
    calls = tuple(plays.undisturbed(play, measured=True)[2].calls)
    path = follow(play)
    if step != "check_health":
        path.codes -= way_in
    return Count(
        step,
        tuple(call.action for call in calls),
        rounds(calls, path.known),
        sum(_units(call) for call in calls if call.action not in READS),
        sum(_units(call) for call in calls if call.action in READS),
        loaded,
        len(path.files),
        path.lines,
        len(path.chain) - 1,
    )


def _units(call: Call) -> float:
    consumed = (call.answer or {}).get("ConsumedCapacity", [])
    return sum(float(one["CapacityUnits"]) for one in (consumed if isinstance(consumed, list) else [consumed]))


def rounds(calls: tuple[Call, ...], known: str) -> int:
    """How many reads must wait for another: one looks up a key that the event does not name and an earlier answer does."""
    found, seen = 0, ""
    for call in calls:
        if call.action not in READS:
            continue
        keys = set(_texts({name: call.arguments.get(name) for name in ("RequestItems", "ExpressionAttributeValues")}))
        waits = any(f'"{key}"' in seen and key.removeprefix("device#") not in known for key in keys if "_" in key)
        if waits or not found:
            found, seen = found + 1, ""
        seen += json.dumps(call.answer or {}, default=str)
    return found


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for part in value.values():
            yield from _texts(part)
    elif isinstance(value, list):
        for part in value:
            yield from _texts(part)
    elif isinstance(value, str):
        yield value


class Path:
    """What a run goes through, noted by the interpreter itself. `known`: the values of the event that the step was given."""

    def __init__(self) -> None:
        self.codes: set[types.CodeType] = set()
        self.chain: list[str] = []
        self.known = ""

    @property
    def files(self) -> set[str]:
        return {code.co_filename for code in self.codes}

    @property
    def lines(self) -> int:
        """Lines of the functions entered; one that lies within another counts once."""
        spans = {(code.co_filename, line) for code in self.codes for line in _span(code)}
        return len(spans)

    def note(self, frame: types.FrameType, event: str, argument: Any) -> None:
        if event != "call" or not _ours(frame.f_code):
            return
        if frame.f_code.co_name == "handler" and not self.known:
            self.known = _known(frame.f_locals["event"])
        self.codes.add(frame.f_code)
        chain: list[str] = []
        inner: types.FrameType | None = frame
        while inner and not inner.f_code.co_filename.startswith(TESTS):
            if _ours(inner.f_code) and inner.f_code.co_filename not in chain:
                chain.append(inner.f_code.co_filename)
            if inner.f_code.co_filename.startswith(FUNCTIONS):
                # A callback is the step's own words: what calls it back is no deeper.
                self.chain = max(self.chain, chain[::-1], key=len)
                break
            inner = inner.f_back


def _known(event: dict[str, Any]) -> str:
    """What a step can know before it reads: its event, who calls, and which phone has signed."""
    told = json.dumps(event, default=str)
    claims = event.get("requestContext", {}).get("authorizer", {}).get("claims", {})
    told += f" usr_{claims.get('sub', '').replace('-', '')}"
    if signed := event.get("headers", {}).get("DPoP"):
        told += f" dev_{public_keys.from_jwk(jwt.get_unverified_header(signed)['jwk'], '')[1]}"
    return told


def _ours(code: types.CodeType) -> bool:
    """Functions of ours; a module's body, run when it is first imported, is no part of the path."""
    return code.co_filename.startswith((LAYER, FUNCTIONS)) and code.co_name != "<module>"


def _span(code: types.CodeType) -> range:
    last = max((line for _, _, line in code.co_lines() if line), default=code.co_firstlineno)
    inner = [const for const in code.co_consts if isinstance(const, types.CodeType)]
    return range(code.co_firstlineno, max([last, *(_span(one).stop - 1 for one in inner)]) + 1)


def follow(play: Play) -> Path:
    """The path of one more undisturbed run, from the same ground."""
    path = Path()
    play.rewind()
    sys.setprofile(path.note)
    try:
        play.arrive()
    finally:
        sys.setprofile(None)
    play.end()
    return path


COUNT_LOADED = """
import os, sys, json
import aws_lambda_powertools.utilities.batch, boto3, pynamodb.models, pynamodb.connection, msgspec, cryptography
for name in sys.argv[1:]:
    sys.stdout.flush()
    if os.fork() == 0:
        __import__(name)
        files = {getattr(module, "__file__", None) or "" for module in list(sys.modules.values())}
        ours = [f for f in files if ("/functions/" in f or "/billfold/" in f) and not f.endswith("__init__.py")
                and "site-packages" not in f]
        print(name, len(ours), flush=True)
        os._exit(0)
    assert os.wait()[1] == 0
"""


def _loaded() -> dict[str, int]:
    """Per step, how many first-party files a fresh process has imported once the step's module is there."""
    names = [f"functions.{step.workflow}.{step.name}" for step in steps.load()]
    path = os.pathsep.join([str(ROOT), str(ROOT / "layers/billfold/python")])
    run = subprocess.run(
        [sys.executable, "-c", COUNT_LOADED, *names],
        env=os.environ | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    lines = [line.split() for line in run.stdout.splitlines()]
    return {name.rpartition(".")[2]: int(number) for name, number in lines}


def table(counts: list[Count]) -> str:
    """The table in Markdown."""
    head = "| step | AWS calls | read rounds | write units | read units | files loaded | files, lines, depth followed |"
    rows = [
        f"| {one.step} | {said(one.calls)} | {one.rounds} | {one.written:g} | {one.read:g} | {one.loaded} "
        f"| {one.files}, {one.lines}, {one.depth} |"
        for one in counts
    ]
    return "\n".join([head, "|---|---|---|---|---|---|---|", *rows])


def said(calls: tuple[str, ...]) -> str:
    """Query, BatchGetItem, TransactWriteItems; a call in a row `× 8`."""
    runs = [(action, len(list(row))) for action, row in groupby(calls)]
    return ", ".join(f"{action} × {times}" if times > 1 else action for action, times in runs) or "none"


def page(counts: list[Count]) -> str:
    """docs/costs.md as it would be today."""
    return f"{HEAD}{table(counts)}\n"


def main() -> None:
    """Count on an engine of its own."""
    with Engine() as engine, direct.serving(), secret_store.running():
        os.environ["AWS_ENDPOINT_URL_DYNAMODB"] = engine.url
        with set_up(engine) as harness:
            counts = count_all(harness)
    if "--write" in sys.argv:
        PAGE.write_text(page(counts))
    else:
        print(table(counts))


if __name__ == "__main__":
    main()
