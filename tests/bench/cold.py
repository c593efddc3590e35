"""Cold starts: CPU of importing a step and answering its first call, beside a plain boto3 process that makes one call.

Each start is a fresh interpreter on the packaged layers with their bytecode, as Lambda has them; the plain process stands
on boto3 as it is installed, and once more on the layers. All take turns, so that a busy machine slows all. Budget: 1.25
times the plain process; the aim is below 1.
"""

import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import zipfile
from typing import Any

import boto3

from infra.build import packages
from infra.plan.stages import this_machine
from infra.plan.steps import load
from tests.bench import card_occasions, console
from tests.bench.occasions import Occasions
from tests.bench.scale import scaled
from tests.cloud.engine import Engine

ROUNDS = scaled(5, 1)
BUDGET = 1.25
PLAIN_NAME, ON_LAYERS = "plain boto3", "plain boto3, on the layers"
INSTALLED = str(pathlib.Path(boto3.__file__).parents[1])
PLAIN = """
import boto3
client = boto3.client("dynamodb")
client.get_item(TableName="billfold-people", Key={"pk": {"S": "nobody"}, "sk": {"S": "user"}})
answer = {"statusCode": 200}
"""
STEP = """
import importlib
answer = importlib.import_module(sys.argv[1]).handler(event, None)
"""
FRAME = """
import json, sys, time
event = json.load(sys.stdin)
before = time.process_time()
{body}
after = time.process_time()
assert answer["statusCode"] < 300, answer
print(after - before)
"""


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, Engine() as engine, console.silenced():
        os.environ["AWS_ENDPOINT_URL_DYNAMODB"] = engine.url
        engine.empty()
        lambda_path = _unpack(pathlib.Path(folder))
        with card_occasions.running(engine) as (occasions, addresses):
            took = _measure(occasions, lambda_path, addresses)
    _show(took)


def _measure(occasions: Occasions, lambda_path: str, addresses: dict[str, str]) -> dict[str, list[float]]:
    """CPU milliseconds of each start, by name."""
    took: dict[str, list[float]] = {}
    turns = _turns(occasions.names[: scaled(None, 2)])
    with console.progress("cold starts", (ROUNDS + 1) * len(turns)) as advance:
        for round_number in range(ROUNDS + 1):
            for name in turns:
                seconds = _start(name, occasions, {"PYTHONPATH": lambda_path} | addresses)
                # The first round warms the disk's cache.
                if round_number:
                    took.setdefault(name, []).append(seconds * 1000)
                advance()
    return took


def _turns(names: list[str]) -> list[str]:
    """The steps, with the plain processes before every fifth of them: what all are compared with is measured all along."""
    plain = (PLAIN_NAME, ON_LAYERS)
    return [turn for number, name in enumerate(names) for turn in ((*plain, name) if number % 5 == 0 else (name,))]


def _start(name: str, occasions: Occasions, settings: dict[str, str]) -> float:
    """CPU seconds of one cold start."""
    event: dict[str, Any] = {}
    body, arguments = PLAIN, list[str]()
    if name == PLAIN_NAME:
        settings = settings | {"PYTHONPATH": INSTALLED}
    elif name != ON_LAYERS:
        module, event = occasions.make(name)
        body, arguments = STEP, [module.__name__]
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    # Without `site`, so that nothing but the layers can be imported.
    done = subprocess.run(
        [sys.executable, "-S", "-c", FRAME.format(body=body), *arguments],
        env=environment | settings,
        input=json.dumps(event),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{name} did not start: {done.stderr[-800:]}")
    return float(done.stdout.splitlines()[-1])


def _unpack(folder: pathlib.Path) -> str:
    """The layers and the steps as Lambda unpacks them; the path to import from."""
    here = this_machine()
    wanted = [(layer, "opt") for layer in (packages.packages_layer(here), packages.billfold_layer(here))]
    for package, place in (*wanted, *((packages.function(step, here), "task") for step in load())):
        with zipfile.ZipFile(package.path) as archive:
            archive.extractall(folder / place)
    return os.pathsep.join([str(folder / "task"), str(folder / "opt/python")])


def _show(took: dict[str, list[float]]) -> None:
    plain = statistics.median(took[PLAIN_NAME])
    rows = []
    for name, values in took.items():
        ratio = statistics.median(values) / plain
        rows.append((name, *console.spread(values, 0), f"{ratio:.2f}", "over" if ratio > BUDGET else ""))
    columns = ("cold start", "min ms", "median ms", "max ms", "ratio", f"budget {BUDGET}")
    console.table("Cold starts: CPU of import and first call", columns, rows)
