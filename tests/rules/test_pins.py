"""How PINs are hashed where it matters; all other tests hash them cheaply (tests/conftest.py)."""

import importlib.util

import pytest

from billfold.people import pins


def loaded(monkeypatch, **settings):
    """The module anew, as a function of a stage with these settings loads it."""
    for name in ("BILLFOLD_PIN_COST", "BILLFOLD_SANDBOX"):
        monkeypatch.delenv(name, raising=False)
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    spec = importlib.util.find_spec("billfold.people.pins")
    fresh = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(fresh)
    return fresh


def test_a_pin_is_hashed_as_owasp_says(monkeypatch):
    """XX-06: argon2id, 19 MiB, two passes, one lane, salted, where a stage says nothing."""
    fresh = loaded(monkeypatch)
    first, second = fresh.hashed("482913"), fresh.hashed("482913")
    assert first.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert first != second
    assert fresh.matches(first, "482913")
    assert not fresh.matches(first, "482914")
    assert pins.matches(first, "482913"), "what was hashed before is checked as it was hashed"


def test_a_stage_may_ask_for_a_dearer_hash(monkeypatch):
    """XX-06: as machines get faster."""
    assert (
        loaded(monkeypatch, BILLFOLD_PIN_COST="19457 3").hashed("482913").startswith("$argon2id$v=19$m=19457,t=3,p=1$")
    )


@pytest.mark.parametrize("cost", ["19455 2", "19456 1", "64 1", "19456", "much"])
def test_no_function_begins_with_a_hash_that_is_too_cheap_but_in_a_sandbox(monkeypatch, cost):
    """XX-06: a setting cannot weaken the PINs that guard money."""
    with pytest.raises(ValueError, match=r"BILLFOLD_PIN_COST|unpack|literal"):
        loaded(monkeypatch, BILLFOLD_PIN_COST=cost)


def test_a_sandbox_may_hash_cheaply(monkeypatch):
    """Its PINs guard no money."""
    cheap = loaded(monkeypatch, BILLFOLD_PIN_COST="64 1", BILLFOLD_SANDBOX="1")
    assert cheap.hashed("482913").startswith("$argon2id$v=19$m=64,t=1,p=1$")
