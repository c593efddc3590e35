"""Tests change none of our own modules: what a test needs otherwise, the code takes as a parameter, a setting or an adapter."""

import ast
import pathlib
import re
from collections.abc import Iterator

import pytest

from infra.plan.stages import ROOT

OURS = {"app", "billfold", "functions", "infra", "sandbox_bank"}
PATCHING = re.compile(r"\b(setattr|delattr|setitem|delitem|patch|patch\.object|patch\.dict|patch\.multiple)$")
CHANGING = {"add", "append", "clear", "extend", "insert", "pop", "remove", "setdefault", "update"}


def known(tree: ast.Module) -> set[str]:
    """The names that a file has for our modules and for what is in them."""
    found = set()
    for node in ast.walk(tree):
        module = node.module or "" if isinstance(node, ast.ImportFrom) else ""
        for alias in node.names if isinstance(node, ast.Import | ast.ImportFrom) else ():
            if (module or alias.name).partition(".")[0] in OURS:
                found.add(alias.asname or alias.name.partition(".")[0])
    return found


def is_part(node: ast.expr, names: set[str]) -> bool:
    """Whether it is one of these names, or an attribute or entry of one."""
    while isinstance(node, ast.Attribute | ast.Subscript):
        node = node.value
    return isinstance(node, ast.Name) and node.id in names


def patches(source: str) -> Iterator[int]:
    """The lines that assign, delete or patch an attribute or entry of our modules, or change a constant of theirs in place."""
    tree = ast.parse(source)
    names = known(tree)
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Attribute | ast.Subscript)
            and not isinstance(node.ctx, ast.Load)
            and is_part(node, names)
        ):
            yield node.lineno
        if not isinstance(node, ast.Call):
            continue
        first = node.args[0] if node.args else None
        if first and PATCHING.search(ast.unparse(node.func)):
            text = first.value if isinstance(first, ast.Constant) else ""
            if is_part(first, names) or str(text).partition(".")[0] in OURS:
                yield node.lineno
        if isinstance(node.func, ast.Attribute) and node.func.attr in CHANGING and is_part(node.func.value, names):
            changed = ast.unparse(node.func.value).rpartition(".")[2]
            if changed.isupper() or changed.startswith("_"):
                yield node.lineno


@pytest.mark.parametrize("path", sorted((ROOT / "tests").rglob("*.py")), ids=lambda path: str(path.relative_to(ROOT)))
def test_no_test_changes_a_module_of_ours(path: pathlib.Path):
    """What is patched is not what runs in production; and whoever renames it breaks tests that never named its behaviour."""
    lines = list(patches(path.read_text()))
    assert not lines, (
        f"{path.relative_to(ROOT)}, lines {lines}: give the code a seam instead, such as a parameter, a setting that it reads "
        "(monkeypatch.setenv) or a server behind an adapter"
    )


@pytest.mark.parametrize(
    "line",
    [
        "pins._hasher = 1",
        "pins.COST += 1",
        "del pins.COST",
        "pins.TABLE['a'], other = 1, 2",
        "pins.TABLE.update(a=1)",
        "pins._kept.clear()",
        "monkeypatch.setattr(pins, 'COST', 1)",
        "monkeypatch.setattr('billfold.people.pins.COST', 1)",
        "monkeypatch.setitem(pins.TABLE, 'a', 1)",
        "patch.object(pins, 'COST', 1)",
        "mock.patch.dict(pins.TABLE, a=1)",
        "mock.patch('billfold.people.pins.COST', 1)",
        "setattr(pins, 'COST', 1)",
    ],
)
def test_a_patch_is_seen(line):
    """Otherwise nothing would be forbidden."""
    assert list(patches(f"from billfold.people import pins\n{line}")) == [2]


@pytest.mark.parametrize(
    "line",
    [
        "cost = pins.COST",
        "monkeypatch.setenv('BILLFOLD_PIN_COST', '64 1')",
        "patch.dict(os.environ, BILLFOLD_PIN_COST='64 1')",
        "monkeypatch.setattr(socket, 'socket', None)",
        "pins.Hasher().update(b'a')",
        "world.pins = pins.hashed('739164')",
    ],
)
def test_what_is_no_patch_is_let_through(line):
    """Reading, settings, other people's modules, and objects of a test's own."""
    assert list(patches(f"from billfold.people import pins\n{line}")) == []
