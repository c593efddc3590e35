"""One word, one meaning (docs/words.md): what the table and the code's own names tell of it."""

import ast
import re
from collections.abc import Iterator

from infra.plan.stages import ROOT

ROWS = re.findall(r"^\| ([^|]+) \| ([^|]+) \|$", (ROOT / "docs/words.md").read_text(), re.MULTILINE)[1:]
WORDS = [word for words, _ in ROWS for word in re.sub(r"\(.*?\)", "", words).strip().split(", ")]
SOURCES = [path for folder in ("functions", "infra", "layers", "tests") for path in (ROOT / folder).rglob("*.py")]
TREES = {str(path.relative_to(ROOT)): ast.parse(path.read_text()) for path in SOURCES}
CLASSES = {node.name for tree in TREES.values() for node in ast.walk(tree) if isinstance(node, ast.ClassDef)}
# A thing may be there by its id or name, as the wire has it, or as whether there is one.
PLAIN = {"str", "Any", "Id", "dict", "list", "None", "Annotated", "ClassVar", "typer", "wire", "Argument", "bool"}
# Lambda's word for what it hands to a handler, in a handler's signature.
OF_LAMBDA = {"event": {"workflow", "Input"}}


def named_things() -> Iterator[tuple[str, ast.expr, str]]:
    """Every parameter and annotated variable that is called by a word of which there is a class, with its type and place."""
    for path, tree in TREES.items():
        for node in ast.walk(tree):
            name = node.arg if isinstance(node, ast.arg) else ""
            if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                name = node.target.id
            if name in WORDS and kind_of(name) in CLASSES and node.annotation:
                yield name, node.annotation, f"{path}:{node.lineno}"


def kind_of(word: str) -> str:
    return word.title().replace("-", "").replace(" ", "")


def test_each_word_is_told_once():
    """Two rows would be two meanings."""
    twice = sorted({word for word in WORDS if WORDS.count(word) > 1})
    assert not twice, f"docs/words.md has {twice} twice: give one of the two meanings another word"


def test_what_is_called_by_a_word_is_that_thing():
    """A parameter `stage` is a Stage, or the name of one; whatever else it was has a word of its own."""
    wrong = []
    for name, annotation, place in named_things():
        types = {node.id for node in ast.walk(annotation) if isinstance(node, ast.Name)}
        types |= {node.attr for node in ast.walk(annotation) if isinstance(node, ast.Attribute)}
        if not (any(kind_of(name) in each for each in types) or types <= PLAIN | OF_LAMBDA.get(name, set())):
            wrong.append(f"{place}: call this {ast.unparse(annotation)} by another word than `{name}`")
    assert not wrong, "\n".join(wrong)
