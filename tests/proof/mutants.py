"""How many small bugs the rules' and rows' own tests notice: `python -m tests.proof.mutants`, which `make mutants` runs.

mutmut (in an environment of its own, because its packages are not ours) makes the bugs one by one: another operator, constant, name
or argument. It wants the code under `src`, so a copy is laid out in build/mutants; the tests are `tests/rules` and `tests/tables`.
Prints a table for docs/benchmarks.md, and where each survivor is.
"""

import collections
import os
import pathlib
import re
import shutil
import subprocess
import sys

from infra.plan.stages import ROOT
from tests.cloud.engine import binary

PROJECT = ROOT / "build/mutants"
NOUNS = ("ledger", "bills", "cards", "charges")
# What only says what a change is, how it is told or what it looks like on the wire has no rule of its own.
LEFT_OUT = ("*_wire.py", "*_errors.py", "*_changes.py", "taps.py", "statement_rows.py")
SETTINGS = """
[tool.mutmut]
source_paths = ["src"]
only_mutate = [{only}]
do_not_mutate = [{left_out}]
also_copy = [".chalice", "app.py", "docs", "functions", "infra", "layers"]
pytest_add_cli_args_test_selection = ["tests/rules", "tests/tables"]
pytest_add_cli_args = ["-p", "no:cacheprovider"]
use_git_change_detection = false
"""


def lay_out() -> None:
    """The project as mutmut wants it."""
    shutil.rmtree(PROJECT, ignore_errors=True)
    (PROJECT / "src").mkdir(parents=True)
    for name in ("billfold", "sandbox_bank"):
        shutil.copytree(ROOT / f"layers/{name}/python/{name}", PROJECT / "src" / name)
    for name in (".chalice", "app.py", "docs", "functions", "infra", "tests"):
        source = ROOT / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, PROJECT / name)
    (PROJECT / "layers").mkdir()
    only = ", ".join(f'"src/billfold/{noun}/*"' for noun in NOUNS)
    left_out = ", ".join(f'"src/billfold/*/{name}"' for name in LEFT_OUT)
    settings = re.sub(
        r"^pythonpath = .*$", 'pythonpath = [".", "src"]', (ROOT / "pyproject.toml").read_text(), flags=re.M
    )
    (PROJECT / "pyproject.toml").write_text(settings + SETTINGS.format(only=only, left_out=left_out))


def run(*arguments: str) -> str:
    """mutmut in that project; what it printed."""
    command = [ROOT / ".local/mutants/bin/mutmut", *arguments]
    environment = os.environ | {"BILLFOLD_DYNOXIDE": str(pathlib.Path(binary()).resolve())}
    return subprocess.run(command, cwd=PROJECT, env=environment, check=True, stdout=subprocess.PIPE, text=True).stdout


def table(results: str) -> str:
    """One line a module: how many mutants were tried, how many were killed."""
    made: dict[str, collections.Counter[str]] = collections.defaultdict(collections.Counter)
    for name, state in re.findall(r"^\s*(\S+): (.+)$", results, re.M):
        if state != "not checked":
            made[re.sub(r"\.x.*", "", name)][state] += 1
    lines = ["| module | mutants | killed | survived | no test | % killed |", "|---|---|---|---|---|---|"]
    for module, states in [*sorted(made.items()), ("all", sum(made.values(), collections.Counter()))]:
        number, killed = states.total(), states["killed"] + states["timeout"]
        left = states["no tests"]
        lines.append(
            f"| {module} | {number} | {killed} | {number - killed - left} | {left} | {100 * killed / number:.1f} |"
        )
    return "\n".join(lines)


def main() -> None:
    lay_out()
    run("run", *sys.argv[1:])
    results = run("results", "--all", "true")
    print(table(results))
    print("\n".join(line for line in results.splitlines() if not line.endswith(("killed", "timeout", "not checked"))))


if __name__ == "__main__":
    main()
