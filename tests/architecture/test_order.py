"""The order of the house: one direction for all imports, rules that are pure, and faces that show themselves alone."""

import ast
import os
import pathlib
import subprocess
import sys
import tomllib

import pytest

from infra.plan.stages import ROOT

LAYER = ROOT / "layers/billfold/python/billfold"
BANK = ROOT / "layers/sandbox_bank/python/sandbox_bank"
MECHANICS = {"triggers", "tables", "banks", "readers"}
NOUNS = sorted(path for path in LAYER.iterdir() if (path / "__init__.py").exists() and path.name not in MECHANICS)
FACETS = sorted(path for noun in NOUNS for path in noun.glob("*.py"))
CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
# What is not pure in a noun is a port: keys and ciphers of the vault, and the hash of a PIN, whose cost a stage sets.
PORTS = {"vault/__init__.py": {"aws", "botocore", "cryptography"}, "people/pins.py": {"argon2", "os"}}
# Facets that know what goes over the wire, beside those whose names end so.
ON_THE_WIRE = {"bills/taps.py": {"cryptography", "rfc8785"}, "card_photos/confirmations.py": set[str]()}


def short(path: pathlib.Path) -> str:
    return str(path.relative_to(LAYER))


def imported(path: pathlib.Path) -> set[str]:
    """The modules and names that a file imports, whole."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


@pytest.mark.parametrize("contract", [each["id"] for each in CONTRACTS])
def test_imports_run_one_way(contract):
    """The contracts stand in pyproject.toml; what breaks one is printed, with the imports that do.

    In a process of its own: import-linter configures logging when it runs, which silences the loggers that other tests read.
    """
    command = [sys.executable, "-c", "import sys; from importlinter import cli; sys.exit(cli.lint_imports_command())"]
    paths = os.pathsep.join([str(ROOT), str(LAYER.parent)])
    done = subprocess.run(
        [*command, "--no-cache", "--contract", contract],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": paths},
        capture_output=True,
        text=True,
        check=False,
    )
    assert not done.returncode, f"{done.stdout}\nTurn the import round, or give a new package its line in `layers`."


@pytest.mark.parametrize("path", FACETS, ids=short)
def test_rules_are_pure(path):
    """Only rows know DynamoDB and only wires know models; all else of a noun is the standard library and other rules."""
    found = imported(path)
    ours = {name.split(".")[1] for name in found if name.split(".")[0] == "billfold" and "." in name}
    theirs = {name.split(".")[0] for name in found} - set(sys.stdlib_module_names) - {"billfold"}
    allowed = set(PORTS.get(short(path), ()))
    rows = path.stem.endswith("_rows")
    wire = path.stem.endswith(("_wire", "_stream")) or short(path) in ON_THE_WIRE
    allowed |= {"tables", "pynamodb", "msgspec"} if rows else set()
    allowed |= {"triggers", "msgspec", *ON_THE_WIRE.get(short(path), ())} if wire else set()
    impure = (ours & (MECHANICS - {"banks"} | {"aws"}) | theirs) - allowed
    assert not impure, f"{short(path)} imports {sorted(impure)}: move that part to a `_rows` or `_wire` beside it"
    reads = {"os", "time", "socket", "random"} & {name.split(".")[0] for name in found} - allowed
    assert rows or wire or path.parent.name == "vault" or not reads, (
        f"{short(path)} imports {sorted(reads)}: pass it in"
    )


@pytest.mark.parametrize("noun", NOUNS, ids=lambda noun: noun.name)
def test_a_face_shows_its_rules_and_no_facet(noun):
    """Whoever wants rows or models says so; a face that handed them on would make every rule's reader load DynamoDB."""
    face = ast.parse((noun / "__init__.py").read_text())
    used = {node.id for node in ast.walk(face) if isinstance(node, ast.Name)}
    named = {
        alias.asname or alias.name
        for node in face.body
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(f"billfold.{noun.name}")
        for alias in node.names
    }
    assert named <= used, (
        f"{noun.name}/__init__.py only hands on {sorted(named - used)}: import them where they are used"
    )
    assert not any(isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__" for node in face.body)


@pytest.mark.parametrize("noun", NOUNS, ids=lambda noun: noun.name)
def test_a_facet_of_a_noun_keeps_the_noun_in_its_name(noun):
    """`bill_rows`, not `rows`: a name in a traceback or an editor's tab says which. A second noun has its own, whole."""
    bare = {path.stem for path in noun.glob("*.py")} & {"rows", "wire", "changes", "errors", "texts", "stream"}
    assert not bare, f"call {sorted(bare)} of {noun.name} after it, such as {noun.name.removesuffix('s')}_{min(bare)}"


@pytest.mark.parametrize("path", sorted([*LAYER.rglob("*.py"), *BANK.rglob("*.py")]), ids=lambda path: path.stem)
def test_only_rows_know_pynamodb(path):
    """The sandbox bank, a service of its own, has a module of rows too."""
    knows = {name for name in imported(path) if name.split(".")[0] == "pynamodb"}
    assert not knows or path.parent.name == "tables" or path.stem.endswith("rows"), f"move {knows} of {path} to `_rows`"
