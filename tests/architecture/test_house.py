"""The house as design.md draws it: arrows, names, sizes, and steps that are wired exactly once."""

import ast
import pathlib
import re

import pytest

from infra.plan import steps
from infra.plan.new_step import FORBIDDEN_NAMES
from infra.plan.stages import ROOT

LAYER = ROOT / "layers/billfold/python/billfold"
STEP_FILES = sorted((ROOT / "functions").glob("*/*.py"))
BANK = ROOT / "layers/sandbox_bank/python/sandbox_bank"
OURS = sorted(
    [*LAYER.rglob("*.py"), *BANK.rglob("*.py"), *STEP_FILES, *(ROOT / "infra").rglob("*.py"), ROOT / "app.py"]
)
_, FAULTS = steps.survey()
MARKS = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X)\b")


def short(path: pathlib.Path) -> str:
    return str(path.relative_to(ROOT))


def imported(path: pathlib.Path) -> set[str]:
    """The modules that a file imports, whole names."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


@pytest.mark.parametrize("path", STEP_FILES, ids=short)
def test_a_step_imports_no_other_step_and_no_chalice(path):
    """A step is a plain handler of its own."""
    wrong = {name for name in imported(path) if name.split(".")[0] in ("functions", "chalice", "app", "infra", "boto3")}
    assert not wrong, (
        f"{short(path)} imports {sorted(wrong)}: what two steps need is a rule or rows of a noun in layers/"
    )


@pytest.mark.parametrize("path", [path for path in OURS if "layers" in path.parts or path in STEP_FILES], ids=short)
def test_a_commit_is_sent_by_the_end_of_its_block(path):
    """A forgotten send is impossible, and so is a second one."""
    tree = ast.parse(path.read_text())
    blocks = {id(item.context_expr) for node in ast.walk(tree) if isinstance(node, ast.With) for item in node.items}
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        called = ast.unparse(node.func)
        if called.rpartition(".")[2] == "Commit":
            assert id(node) in blocks, f"{short(path)}:{node.lineno}: write `with Commit(…) as commit:`"
        # What sends messages takes some; a call that takes nothing is a commit's.
        if called.endswith(".send") and not node.args and called != "self.send":
            pytest.fail(f"{short(path)}:{node.lineno}: the end of the block sends")


@pytest.mark.parametrize("path", STEP_FILES, ids=short)
def test_a_step_names_what_it_reads_once(path):
    """`fetch` takes a row together with what it is read as; keys are for modules of rows."""
    tables = "billfold.tables.rows."
    beside = {name for name in imported(path) if name.startswith(tables)} - {tables + "fetch", tables + "NOTHING"}
    allowed = {tables + "due"} if path.stem.startswith(("find_", "reconcile_")) else set()
    keys = re.findall(r"\w+_rows\.\w+_keys?\b", path.read_text())
    assert not beside - allowed, (
        f"{short(path)}: write `thing = fetch(thing_rows.thing(…))` in place of {sorted(beside)}"
    )
    assert not keys, f"{short(path)}: {keys}: let the module of rows make what is fetched"


@pytest.mark.parametrize("path", STEP_FILES, ids=short)
def test_a_step_is_tied_once_and_its_header_says_what_is_so(path):
    """The map, the header and its permissions say the same; what differs is told for every step at once, with its mend."""
    if faults := FAULTS.get(short(path)):
        pytest.fail("\n".join(f"{short(path)}: {fault}" for fault in faults), pytrace=False)


def test_no_two_steps_have_one_name():
    """File = function = log name."""
    names = [path.stem for path in STEP_FILES]
    twice = sorted({name for name in names if names.count(name) > 1})
    assert not twice, f"give one of each two another name: {twice}"


@pytest.mark.parametrize("path", OURS, ids=short)
def test_names_and_sizes_stay_readable(path):
    """Steps at most 100 lines, modules under 300, functions at most 50; no name that says nothing; nothing left undone."""
    text, named = path.read_text(), short(path)
    tree = ast.parse(text)
    empty = {*path.relative_to(ROOT).with_suffix("").parts} & FORBIDDEN_NAMES
    assert not empty, f"{named}: {sorted(empty)} says nothing; name it for the noun or verb that it holds"
    limit = 100 if path in STEP_FILES else 300
    lines = text.count("\n")
    assert lines <= limit, (
        f"{named} has {lines} lines, at most {limit}: give a rule to its noun, or a noun its own module"
    )
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            length = (node.end_lineno or 0) - node.lineno + 1
            assert length <= 50, f"{named}: {node.name} has {length} lines, at most 50: give a part of it a name"
    undone = MARKS.search(text)
    assert not undone, f"{named}: do what {undone and undone[0]} leaves undone, or write an issue"
    assert ast.get_docstring(tree), f"{named}: say in a docstring what the module is for"


def test_every_file_that_a_text_names_is_there():
    """In docs, docstrings and comments: whoever moves a file moves its name."""
    within = (ROOT, LAYER.parent, LAYER, ROOT / "tests", ROOT / "infra")
    named = re.compile(r"`((?:\w+/)+(?:\w[\w.]*\.(?:py|md|json|toml|txt)|test_\w+))`")
    texts = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *OURS, *(ROOT / "tests").rglob("*.py")]
    gone = {
        f"{short(path)}: {name}"
        for path in texts
        if path.name != "CHANGELOG.md"
        for name in named.findall(path.read_text())
        if not any((root / name).exists() or (root / f"{name}.py").exists() for root in within)
    }
    assert not gone, f"name these files as they are called now: {sorted(gone)}"


@pytest.mark.parametrize("path", STEP_FILES, ids=short)
def test_every_step_has_a_test_file_of_its_own(path):
    """Whoever knows a step's name knows its tests."""
    file = f"tests/steps/{path.parent.name}/test_{path.stem}.py"
    assert (ROOT / file).exists(), f"write {file}: what {short(path)} answers, changes, refuses and does again"


def test_the_root_of_the_tests_holds_no_world():
    """What tests stand on is in `tests/world` and `tests/cloud`; besides, there is the command that says what tests cost."""
    assert {path.name for path in (ROOT / "tests").glob("*.py")} == {"__init__.py", "conftest.py", "cost.py"}
