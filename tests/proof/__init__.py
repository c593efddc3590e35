"""Proof by exhaustion: every step, every AWS call of it, every way in which that call can go wrong.

Also outside pytest (`python -m tests.proof.counts`) it stands on the settings of every test.
"""

import importlib
import pkgutil
import sys

import pytest

from infra.plan.stages import ROOT

LAYERS = [str(ROOT / f"layers/{name}/python") for name in ("billfold", "sandbox_bank")]
sys.path[:0] = [layer for layer in LAYERS if layer not in sys.path]
importlib.import_module("tests.conftest")
SCENARIOS = sorted(found.name for found in pkgutil.iter_modules(__path__) if found.name.endswith("_scenarios"))
WITH_ASSERTIONS = ("ground", "plays", *SCENARIOS)
pytest.register_assert_rewrite(*(f"tests.proof.{name}" for name in WITH_ASSERTIONS))
