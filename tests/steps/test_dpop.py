"""DPoP proofs as they come and as they are forged: only the device's own, fresh signature over this call counts (RFC 9449)."""

import base64
import json
import math
import time
from typing import Any

import jwt
import pytest

from billfold.errors import Invalid, ProofInvalid, ProofMissing
from billfold.triggers import dpop, public_keys
from billfold.triggers.http import Request
from infra.clients.phones import Phone

PATH = "/v1/bills/bil_1/close"
ADDRESS = f"https://api.example{PATH}"
CURVES = ("Ed25519", "P-256")


def _request(header: str) -> Request[Any]:
    headers = {"dpop": header, "authorization": "Bearer token"}
    now = int(time.time() * 1000)
    return Request("req", "usr_1", frozenset(), "POST", PATH, {}, {}, headers, None, "", "", now, "", "", "api1")


def _token(phone: Phone, header: dict[str, Any] | None = None, **claims: Any) -> str:
    """A token that PyJWT signs with the phone's key; what is given replaces what is honest."""
    honest = {"htm": "POST", "htu": ADDRESS, "iat": int(time.time()), "jti": "one"}
    headers = {"typ": "dpop+jwt", "jwk": phone.jwk} | (header or {})
    return jwt.encode(honest | claims, phone._key, algorithm=phone.algorithm, headers=headers)


def _encoded(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def _respelled(text: str) -> str:
    """Unpadded base64url of as many bytes as a key or a signature has, with the spare bits of its last letter set."""
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    respelled = text[:-1] + letters[letters.index(text[-1]) + 1]
    assert base64.urlsafe_b64decode(respelled + "==") == base64.urlsafe_b64decode(text + "==")
    return respelled


@pytest.fixture(params=CURVES)
def phone(request: Any) -> Phone:
    return Phone(request.param)


def test_a_proof_names_the_device_that_signed_it(phone: Phone) -> None:
    """Made by another implementation (PyJWT), read by ours, on both curves."""
    assert dpop.device(_request(phone.dpop("POST", ADDRESS))) == phone.device_id
    ath = "PEaaoB-jcuJEjtzAF7MizL5XOgKP2vHRg5xjiqPlFHQ"
    with pytest.raises(ProofInvalid):
        dpop.device(_request(_token(phone, ath=ath)))


def test_a_call_without_a_proof_is_told_so() -> None:
    """Its own code, so that a client knows what to add."""
    with pytest.raises(ProofMissing):
        dpop.device(_request(""))


@pytest.mark.parametrize("turn", range(13))
def test_a_token_that_is_not_whole_proves_nothing(phone: Phone, turn: int) -> None:
    """Parts missing, added, swapped, padded, cut or changed by one character."""
    good = phone.dpop("POST", ADDRESS)
    head, claims, signature = good.split(".")
    other = "B" if signature[0] == "A" else "A"
    broken = [
        f"{head}.{claims}",
        f"{head}.{claims}.",
        f"{good}A",
        f"{good}==",
        f"{good}.x",
        f"{head}.{claims}.{signature[:-4]}",
        f"{head}.{claims}.{other}{signature[1:]}",
        f"{claims}.{head}.{signature}",
        f"{head}.{signature}.{signature}",
        f"{head}.{_encoded(['POST'])}.{signature}",
        f"{base64.urlsafe_b64encode(b'[' * 6000).decode()}.{claims}.{signature}",
        f"{head}.{claims}.{_respelled(signature)}",
        "ä.ö.ü",
    ]
    with pytest.raises(ProofInvalid):
        dpop.device(_request(broken[turn]))


@pytest.mark.parametrize("algorithm", ["none", "HS256", "RS256", "ES256", "EdDSA"])
def test_the_key_decides_on_the_algorithm(phone: Phone, algorithm: str) -> None:
    """A header that is changed to name another one, or none, is not what was signed."""
    _, claims, signature = phone.dpop("POST", ADDRESS).split(".")
    header = _encoded({"alg": algorithm, "typ": "dpop+jwt", "jwk": phone.jwk, "more": 1})
    for last in (signature, ""):
        with pytest.raises(ProofInvalid):
            dpop.device(_request(f"{header}.{claims}.{last}"))


@pytest.mark.parametrize(
    "header",
    [
        {"typ": "JWT"},
        {"crit": ["exp"], "exp": 1},
        {"jwk": {}},
        {"jwk": "x"},
        {"jwk": Phone().jwk},
        {"jwk": Phone("P-256").jwk},
    ],
)
def test_a_signed_header_must_be_a_proof_by_the_key_that_it_names(phone: Phone, header: dict[str, Any]) -> None:
    """Another kind of token, an extension we do not know, no key or somebody else's."""
    with pytest.raises(ProofInvalid):
        dpop.device(_request(_token(phone, header)))


@pytest.mark.parametrize(
    "claims",
    [
        {"iat": 0},
        {"iat": "1"},
        {"iat": None},
        {"iat": math.nan},
        {"iat": math.inf},
        {"htm": "GET"},
        {"htu": "https://api.example/v1/bills/bil_2/close"},
        {"htu": "http://["},
        {"htu": None},
        {"jti": ""},
        {"jti": 7},
        {"jti": "half a character: \ud83d"},
        {"ath": "another token's"},
    ],
)
def test_a_signed_proof_must_be_fresh_and_for_this_call(phone: Phone, claims: dict[str, Any]) -> None:
    """Method, address, time, identity and access token; NaN is never fresh."""
    with pytest.raises(ProofInvalid):
        dpop.device(_request(_token(phone, **claims)))


SAME = [
    ADDRESS,
    f"HTTPS://API.Example{PATH}",
    f"https://api.example:443{PATH}",
    f"https://api1.execute-api.eu-west-1.amazonaws.com/api{PATH}",
    f"https://API1.execute-api.EU-west-1.amazonaws.com:443/api{PATH}",
]
OTHER = [
    # Scheme, host and port.
    f"http://api.example{PATH}",
    f"http://api.example:443{PATH}",
    f"https://api.example:80{PATH}",
    f"https://api.example:443:443{PATH}",
    f"https://api.example:8443{PATH}",
    f"https://evil.example{PATH}",
    f"https://api.example.evil.example{PATH}",
    f"https://xapi.example{PATH}",
    f"https://api.example.{PATH}",
    f"https://api2.execute-api.eu-west-1.amazonaws.com/api{PATH}",
    f"https://api1.execute-api.eu-west-1.amazonaws.com{PATH}",
    f"https://{{api}}.execute-api.eu-west-1.amazonaws.com/api{PATH}",
    f"https://api.\u212axample{PATH}",
    f"HTTP\u017f://api.example{PATH}",
    f"//api.example{PATH}",
    f"ftp://api.example{PATH}",
    PATH,
    # User info.
    f"https://anybody@api.example{PATH}",
    f"https://api.example@evil.example{PATH}",
    f"https://a:b@api.example{PATH}",
    # The path, and what may follow one.
    f"https://api.example/stage{PATH}",
    f"https://api.example/{PATH}",
    f"https://api.example{PATH}/",
    f"https://api.example{PATH.upper()}",
    f"https://api.example/x/..{PATH}",
    f"https://api.example/%76{PATH[2:]}",
    f"{ADDRESS}?",
    f"{ADDRESS}?x=1",
    f"{ADDRESS}#",
    f"{ADDRESS}#y",
    f"{ADDRESS};x",
    f"{ADDRESS}%0a",
    # White space and more.
    *(f"{ADDRESS}{tail}" for tail in ("\n", "\r\n", " ", "\t", "\x00", "\u2028")),
    *(f"{head}{ADDRESS}" for head in ("\n", " ", "x")),
    f"https://api.example\n{PATH}",
    f"https://api .example{PATH}",
    "",
    7,
    [ADDRESS],
]


@pytest.mark.parametrize("htu", SAME)
def test_an_address_is_the_same_in_capitals_and_with_its_scheme_s_own_port(phone: Phone, htu: str) -> None:
    """RFC 9449, 4.3: nothing else is put right. The stage has two addresses: its API's own and one that it says."""
    assert dpop.device(_request(_token(phone, htu=htu))) == phone.device_id


@pytest.mark.parametrize("htu", OTHER)
def test_a_proof_is_for_one_whole_address(phone: Phone, htu: Any) -> None:
    """RFC 9449, 4.2: scheme, host, port and path, without query and fragment; another's address proves nothing here."""
    with pytest.raises(ProofInvalid) as refused:
        dpop.device(_request(_token(phone, htu=htu)))
    assert refused.value.problem()["pointer"] == "/htu"


@pytest.mark.parametrize(
    "change", [{"kty": "RSA"}, {"crv": "P-521"}, {"x": 3}, {"x": "!"}, {"x": "AA"}, {"x": None}, {"d": "AA"}]
)
def test_a_key_that_is_none_is_refused_with_a_pointer(phone: Phone, change: dict[str, Any]) -> None:
    """At registration: unknown types, broken coordinates, and private keys, which must never leave the device."""
    with pytest.raises(Invalid) as refused:
        public_keys.from_jwk(phone.jwk | change, "/jwk")
    assert refused.value.problem()["pointer"].startswith("/jwk")


def test_a_key_has_one_spelling(phone: Phone) -> None:
    """Base64url leaves bits of the last letter unread: the same key under another thumbprint would be another device."""
    with pytest.raises(Invalid):
        public_keys.from_jwk(phone.jwk | {"x": _respelled(phone.jwk["x"])}, "/jwk")


def test_a_point_off_its_curve_is_refused() -> None:
    """P-256 coordinates must satisfy the curve's equation, or a crafted key could leak what it is used with."""
    jwk = Phone("P-256").jwk
    with pytest.raises(Invalid):
        public_keys.from_jwk(jwk | {"y": jwk["x"]}, "/jwk")


@pytest.mark.parametrize(("minutes", "words"), [(6, "ahead"), (600, "ahead"), (-6, "behind"), (-600, "behind")])
def test_a_clock_that_is_wrong_is_told_which_way(phone: Phone, minutes: int, words: str) -> None:
    """D18: ahead and behind each have their own words, so that the phone's owner can mend it."""
    with pytest.raises(ProofInvalid) as refusal:
        dpop.device(_request(_token(phone, iat=int(time.time()) + 60 * minutes)))
    detail = refusal.value.problem()["detail"]
    assert {one for one in ("ahead", "behind") if one in detail} == {words}
