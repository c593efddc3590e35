"""Proof by exhaustion: every step, every AWS call of it, every way in which that call can go wrong.

Also outside pytest (`python -m tests.proof.counts`) it stands on the settings of every test.
"""

import importlib
import sys

import pytest

from infra.plan.stages import ROOT

LAYERS = [str(ROOT / f"layers/{name}/python") for name in ("billfold", "sandbox_bank")]
sys.path[:0] = [layer for layer in LAYERS if layer not in sys.path]
importlib.import_module("tests.conftest")
WITH_ASSERTIONS = (
    "bill_scenarios",
    "card_scenarios",
    "charge_scenarios",
    "clockwork_scenarios",
    "ground",
    "people_scenarios",
    "plays",
    "wallet_scenarios",
)
pytest.register_assert_rewrite(*(f"tests.proof.{name}" for name in WITH_ASSERTIONS))
