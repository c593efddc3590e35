"""Every refusal's text is read against the steps that can raise it: nobody is told of a thing that the call is not about (D18).

Who can raise what is read from the source: the functions that a handler leads to, and the refusals that they make.
"""

import ast
import re
from functools import cache

import pytest

from billfold.errors import Refusal
from infra.pages import contract
from infra.plan import steps
from infra.plan.stages import ROOT
from infra.plan.triggers import Route

SOURCES = [*(ROOT / "functions").rglob("*.py"), *(ROOT / "layers/billfold/python/billfold").rglob("*.py")]
REFUSALS = {known.__name__: known for known in contract.refusals()}
# What a text can be about; a step speaks of these when its header, path or body does.
THINGS = ("bill", "card", "photo", "phone", "pin", "item", "terminal", "wallet", "code", "merchant", "verification")
# "Set a PIN", "register this phone" are things to do first, whatever the call is about.
FIRST = {"pin_missing", "user_unknown", "proof_missing", "device_unknown", "pin_wrong", "pin_locked"}
ROUTED = [step for step in steps.known() if isinstance(step.trigger, Route)]


def module_of(path) -> str:
    relative = path.relative_to(ROOT / "layers/billfold/python" if "layers" in path.parts else ROOT)
    return ".".join(relative.with_suffix("").parts).removesuffix(".__init__")


@cache
def parsed() -> tuple[dict[str, dict[str, ast.AST]], dict[str, dict[str, str]], dict[str, list[tuple[str, str]]]]:
    """By module its functions and classes, what its imported names stand for, and by name every method there is."""
    defined: dict[str, dict[str, ast.AST]] = {}
    imported: dict[str, dict[str, str]] = {}
    methods: dict[str, list[tuple[str, str]]] = {}
    for path in SOURCES:
        module, tree = module_of(path), ast.parse(path.read_text())
        own = defined.setdefault(module, {})
        names = imported.setdefault(module, {})
        for node in tree.body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                own[node.name] = node
            for method in node.body if isinstance(node, ast.ClassDef) else []:
                if isinstance(method, ast.FunctionDef):
                    own[f"{node.name}.{method.name}"] = method
                    methods.setdefault(method.name, []).append((module, f"{node.name}.{method.name}"))
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom):
                names |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
    return defined, imported, methods


def leads_to(module: str, name: str) -> set[tuple[str, str]]:
    """The functions that one names: of its own module, imported ones, and every method of a name that it calls."""
    defined, imported, methods = parsed()
    found: set[tuple[str, str]] = set()
    for node in ast.walk(defined[module][name]):
        if isinstance(node, ast.Name):
            where, _, what = imported[module].get(node.id, f"{module}.{node.id}").rpartition(".")
            found |= {(where, what)} if what in defined.get(where, {}) else set()
        if isinstance(node, ast.Attribute):
            base = imported[module].get(node.value.id, "") if isinstance(node.value, ast.Name) else ""
            if base in defined:
                found |= {(base, node.attr)} if node.attr in defined[base] else set()
            else:
                found |= set(methods.get(node.attr, []))
    return {one for one in found if isinstance(defined[one[0]][one[1]], ast.FunctionDef)}


def made(module: str, name: str) -> set[str]:
    """The refusals that a function makes."""
    called = [node.func for node in ast.walk(parsed()[0][module][name]) if isinstance(node, ast.Call)]
    names = [getattr(one, "id", getattr(one, "attr", "")) for one in called]
    return {one for one in names if one in REFUSALS}


@cache
def raised_by(module: str) -> dict[str, str]:
    """The refusals that a step's handler can end in, each with the function that makes it."""
    waiting, seen, found = [(module, "handler")], set(), {}
    while waiting:
        one = waiting.pop()
        if one not in seen:
            seen.add(one)
            waiting += leads_to(*one)
            found |= dict.fromkeys(made(*one), ".".join(one))
    return found


def source(step: steps.Step) -> str:
    return f"functions.{step.workflow}.{step.name}"


def test_the_source_tells_who_raises_what():
    """The walk finds what tests over HTTP find too, and does not find everything everywhere."""
    by_name = {step.name: set(raised_by(source(step))) for step in ROUTED}
    assert {"PinWrong", "BalanceTooLow", "IdempotencyKeyReused", "Unauthenticated"} <= by_name["post_transfer"]
    assert {"BillClosed", "CounterReused", "SignatureInvalid", "ProofMissing"} <= by_name["add_items"]
    assert {"CardTaken", "TooManyCards", "UnsupportedIssuer"} <= by_name["bind_card"]
    assert not {"BillClosed", "CardTaken"} & by_name["post_transfer"]
    assert "TooManyPhotos" in by_name["start_card_photo"]
    assert not {"PinWrong", "CardTaken", "TooManyCards"} & by_name["start_card_photo"]
    heard = set().union(*by_name.values())
    assert {name for name in REFUSALS if name not in heard} <= SAID_OTHERWISE


# Made by the gateway, by what runs before a step, of a stored code, or of steps that nobody calls over HTTP.
SAID_OTHERWISE = {"MethodNotAllowed", "OperationRunning", "CardDeclined", "HoldExpired", "AlreadyResolved"}


@pytest.mark.parametrize("step", ROUTED, ids=lambda one: one.name)
def test_a_refusal_speaks_only_of_what_its_caller_asked_about(step):
    """D18: a binder of a card hears nothing of bills, who sends a photo nothing of cards that were tried."""
    about = f"{step.header} {step.trigger} {step.name}".lower().replace("_", " ").replace("device", "device phone")
    wrong = {}
    for name, maker in raised_by(source(step)).items():
        known: type[Refusal] = REFUSALS[name]
        things = {thing for thing in THINGS if re.search(rf"\b{thing}s?\b", known.user.lower())}
        if known.code() not in FIRST and (
            strange := {thing for thing in things if not re.search(rf"\b{thing}s?\b", about)}
        ):
            wrong[name] = (strange, maker)
    assert wrong == {}


@pytest.mark.parametrize("known", REFUSALS.values(), ids=lambda one: one.__name__)
def test_a_text_for_users_is_a_plain_sentence(known):
    """D18: no regular expression, no name of ours, no code; it begins like a sentence and ends like one."""
    text = known.user
    assert re.fullmatch(r"[A-Z][^<>\\^$`_]*\.", re.sub(r"\{\w+\}", "X", text)), text
