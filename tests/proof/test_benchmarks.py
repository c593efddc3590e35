"""`make bench` runs to its end in one call: each benchmark, small, one after another."""

import os
import subprocess
import sys

from infra.plan.stages import ROOT
from tests.bench.__main__ import BENCHMARKS


def test_all_benchmarks_run_in_one_call():
    """None stands on an engine, a connection or a client of the one before it."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "BILLFOLD_"))}
    command = [sys.executable, "-m", "tests.bench", "--small"]
    done = subprocess.run(command, cwd=ROOT, env=kept, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    for name, about in BENCHMARKS.items():
        assert f" {name}: {about}" in done.stdout
