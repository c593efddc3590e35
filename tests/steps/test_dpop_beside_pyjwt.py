"""Our reading of DPoP proofs (RFC 9449) held against PyJWT's, over honest and mutated ones."""

import time

import jwt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billfold.errors import ProofInvalid
from billfold.triggers import dpop
from billfold.triggers.http import Request
from infra.clients.phones import Phone

PHONES = [Phone("Ed25519"), Phone("P-256")]
PATH = "/v1/bills/bil_1/close"


def request(header: str, *, method: str = "POST", path: str = PATH, token: str = "token") -> Request[None]:
    headers = {"dpop": header, "authorization": f"Bearer {token}"}
    now = int(time.time() * 1000)
    return Request("r", "usr_1", frozenset(), method, path, {}, {}, headers, None, "", "", now, "", "")


def accepted(header: str, **options: str) -> bool:
    try:
        dpop.device(request(header, **options))
    except ProofInvalid:
        return False
    return True


def accepted_by_pyjwt(header: str) -> bool:
    """Whether a JWT library finds the token signed by the key that it names, with that key's algorithm."""
    try:
        named = jwt.get_unverified_header(header)
        key = jwt.PyJWK.from_dict(named["jwk"])
        jwt.decode(header, key.key, algorithms=["EdDSA", "ES256"], options={"verify_iat": False})
    except Exception:
        return False
    return True


@pytest.mark.parametrize("phone", PHONES, ids=lambda phone: phone.algorithm)
def test_an_honest_proof_names_its_device(phone):
    """Both kinds of key; the device's id is derived from the key's thumbprint."""
    header = phone.dpop("POST", f"https://api.example{PATH}")
    assert dpop.device(request(header)) == phone.device_id
    assert accepted_by_pyjwt(header)


@pytest.mark.parametrize("phone", PHONES, ids=lambda phone: phone.algorithm)
@given(at=st.integers(min_value=0), letter=st.sampled_from("AQgwZ09_-.=~é"))
@settings(max_examples=150, deadline=None)
def test_whatever_we_accept_a_jwt_library_accepts_too(phone, at, letter):
    """One letter changed anywhere: never accepted by us alone."""
    honest = phone.dpop("POST", f"https://api.example{PATH}")
    at %= len(honest)
    mutated = honest[:at] + letter + honest[at + 1 :]
    if accepted(mutated):
        assert accepted_by_pyjwt(mutated)
    if mutated != honest and at < honest.rindex("."):
        assert not accepted(mutated)
