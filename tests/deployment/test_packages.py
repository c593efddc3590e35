"""What a package is named by: what goes in, and nothing else, so that what did not change is not published again."""

import os
import pathlib
import shutil
import subprocess
import sys

from infra.plan.stages import ROOT

CARRIED = "docs/openapi.json"
PACKAGED = """
from infra.build import packages
from infra.plan import stages, steps

here = stages.this_machine()
for package in (packages.billfold_layer(here), *(packages.function(step, here) for step in steps.known())):
    print(package.name, package.digest)
"""


def written_and_packaged(folder: pathlib.Path) -> dict[str, str]:
    """The digest of each package of a copy of the sources, by name, after the contract was written anew there."""
    environment = {name: text for name, text in os.environ.items() if name != "PYTHONPATH"}
    for command in (["-m", "infra", "contract"], ["-c", PACKAGED]):
        done = subprocess.run(
            [sys.executable, *command], cwd=folder, env=environment, capture_output=True, text=True, check=True
        )
    return dict(line.split() for line in done.stdout.splitlines())


def test_a_reworded_header_makes_no_new_layer(tmp_path):
    """The contract is in no layer: its own step's package alone carries it, beside the package of the step reworded."""
    for name in ("functions", "layers", "infra", "docs", ".chalice"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("app.py", "pyproject.toml"):
        shutil.copyfile(ROOT / name, tmp_path / name)
    before = written_and_packaged(tmp_path)
    contract, step = (tmp_path / CARRIED).read_text(), tmp_path / "functions/bills/get_bill.py"
    step.write_text(step.read_text().replace('"""Show a bill', '"""Show once more a bill', 1))
    after = written_and_packaged(tmp_path)
    assert (tmp_path / CARRIED).read_text() != contract
    assert before.keys() == after.keys() > {"billfold", "show_contract"}
    assert {name for name in after if after[name] != before[name]} == {"get_bill", "show_contract"}
