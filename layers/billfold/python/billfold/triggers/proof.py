"""DPoP (RFC 9449): proof that a call comes from a device that holds a registered private key.

A device's key is a public JWK (RFC 7517), Ed25519 or P-256. Its id is `dev_` and the key's thumbprint (RFC 7638).
"""

import base64
import hashlib
import json
from typing import Any
from urllib.parse import unquote, urlsplit

import jwt
from jwt.algorithms import ECAlgorithm, OKPAlgorithm

from billfold.clock import MINUTE, SECOND
from billfold.errors import Invalid, ProofInvalid, ProofMissing
from billfold.triggers.http import Request

MAX_AGE = 5 * MINUTE
# Per key type: the members of its thumbprint, its only curve, its signature algorithm.
KEY_TYPES = {"OKP": (("crv", "kty", "x"), "Ed25519", "EdDSA"), "EC": (("crv", "kty", "x", "y"), "P-256", "ES256")}


def public_key(jwk: dict[str, Any], at: str) -> tuple[dict[str, str], str, Any]:
    """A device's key, stripped to its public members, with its thumbprint and the key object; Invalid at the pointer."""
    kind = KEY_TYPES.get(str(jwk.get("kty")))
    if kind is None or jwk.get("crv") != kind[1]:
        raise Invalid("the key must be Ed25519 (OKP) or P-256 (EC)", at)
    if "d" in jwk:
        raise Invalid("this is a private key: it must never leave the device", at + "/d")
    stripped = {name: jwk.get(name, "") for name in kind[0]}
    try:
        key = (OKPAlgorithm if kind[2] == "EdDSA" else ECAlgorithm).from_jwk(stripped)
    except Exception:
        raise Invalid("the key's coordinates are not a point of its curve", at) from None
    text = json.dumps(stripped, sort_keys=True, separators=(",", ":"))
    return stripped, base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode(), key


def device(request: Request[Any]) -> str:
    """The id of the device that signed this call's DPoP header; ProofMissing without one, ProofInvalid when it is not sound."""
    proof = request.headers.get("dpop", "")
    if not proof:
        raise ProofMissing()
    try:
        header = jwt.get_unverified_header(proof)
        jwk = header.get("jwk")
        if header.get("typ") != "dpop+jwt" or not isinstance(jwk, dict):
            raise ProofInvalid("the proof is not a dpop+jwt with a jwk")
        _, thumbprint, key = public_key(jwk, "")
        claims = jwt.decode(
            proof, key, algorithms=[KEY_TYPES[jwk["kty"]][2]], options={"verify_aud": False, "verify_iat": False}
        )
    except (jwt.PyJWTError, Invalid) as error:
        raise ProofInvalid("the proof is not a token signed by the key that it names") from error
    _check_claims(claims, request)
    return f"dev_{thumbprint}"


def _check_claims(claims: dict[str, Any], request: Request[Any]) -> None:
    issued_at = claims.get("iat")
    if claims.get("htm") != request.method:
        raise ProofInvalid("the proof is for another method", "/htm")
    if not unquote(urlsplit(str(claims.get("htu", ""))).path).endswith(request.path):
        raise ProofInvalid("the proof is for another address", "/htu")
    if not isinstance(issued_at, int | float) or abs(request.now - issued_at * SECOND) > MAX_AGE:
        raise ProofInvalid("the proof is older than five minutes", "/iat")
    if not isinstance(claims.get("jti"), str) or not claims["jti"]:
        raise ProofInvalid("the proof has no jti", "/jti")
    token = request.headers.get("authorization", "").rpartition(" ")[2]
    ath = base64.urlsafe_b64encode(hashlib.sha256(token.encode()).digest()).rstrip(b"=").decode()
    if claims.get("ath", ath) != ath:
        raise ProofInvalid("the proof is bound to another token", "/ath")
