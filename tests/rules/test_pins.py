"""How PINs are hashed where it matters; all other tests hash them cheaply (tests/conftest.py)."""

import importlib.util

from billfold.people import pins


def test_a_pin_is_hashed_as_owasp_says():
    """XX-06: argon2id, 19 MiB, two passes, one lane, salted; the module anew, as a function loads it."""
    spec = importlib.util.find_spec("billfold.people.pins")
    fresh = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(fresh)
    first, second = fresh.hashed("482913"), fresh.hashed("482913")
    assert first.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert first != second
    assert fresh.matches(first, "482913")
    assert not fresh.matches(first, "482914")
    assert pins.matches(first, "482913"), "what was hashed before is checked as it was hashed"
