"""DPoP (RFC 9449): proof that a call comes from a device that holds a registered private key.

A device's key is a public JWK (RFC 7517), Ed25519 or P-256. Its id is `dev_` and the key's thumbprint (RFC 7638). A proof
is a compact JWS (RFC 7515); reading one takes these few lines, while importing a JWT library takes a sixth of a cold start.
"""

import base64
import hashlib
import json
from typing import Any
from urllib.parse import unquote, urlsplit

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from billfold.clock import MINUTE, SECOND
from billfold.errors import Invalid, ProofInvalid, ProofMissing
from billfold.triggers.http import Request

MAX_AGE = 5 * MINUTE
# Per key type: the members of its thumbprint, its only curve, its signature algorithm.
KEY_TYPES = {"OKP": (("crv", "kty", "x"), "Ed25519", "EdDSA"), "EC": (("crv", "kty", "x", "y"), "P-256", "ES256")}
# A coordinate, and half of a signature, on either curve.
SIZE = 32
PublicKey = Ed25519PublicKey | EllipticCurvePublicKey


def public_key(jwk: dict[str, Any], at: str) -> tuple[dict[str, str], str, PublicKey]:
    """A device's key, stripped to its public members, with its thumbprint and the key object; Invalid at the pointer."""
    kind = KEY_TYPES.get(str(jwk.get("kty")))
    if kind is None or jwk.get("crv") != kind[1]:
        raise Invalid("the key must be Ed25519 (OKP) or P-256 (EC)", at)
    if "d" in jwk:
        raise Invalid("this is a private key: it must never leave the device", at + "/d")
    stripped = {name: jwk.get(name, "") for name in kind[0]}
    try:
        key = _key(stripped)
    except ValueError:
        raise Invalid("the key's coordinates are not a point of its curve", at) from None
    text = json.dumps(stripped, sort_keys=True, separators=(",", ":"))
    return stripped, _encoded(hashlib.sha256(text.encode()).digest()), key


def _key(jwk: dict[str, Any]) -> PublicKey:
    """The key object of a JWK's coordinates; ValueError when they are not a point of its curve."""
    point = [_decoded(jwk[name]) for name in ("x", "y") if name in jwk]
    if any(len(coordinate) != SIZE for coordinate in point):
        raise ValueError("a coordinate has 32 bytes")
    if jwk["kty"] == "OKP":
        return Ed25519PublicKey.from_public_bytes(point[0])
    return EllipticCurvePublicKey.from_encoded_point(SECP256R1(), b"\x04" + b"".join(point))


def device(request: Request[Any]) -> str:
    """The id of the device that signed this call's DPoP header; ProofMissing without one, ProofInvalid when it is not sound."""
    proof = request.headers.get("dpop", "")
    if not proof:
        raise ProofMissing()
    try:
        thumbprint, claims = _verified(proof)
        path = unquote(urlsplit(str(claims.get("htu", ""))).path)
    except (ValueError, RecursionError, InvalidSignature, Invalid) as error:
        raise ProofInvalid("the proof is not a dpop+jwt signed by the key that it names") from error
    _check_claims(claims, path, request)
    return f"dev_{thumbprint}"


def _verified(proof: str) -> tuple[str, dict[str, Any]]:
    """The thumbprint of the key that a proof names and has signed it, and the proof's claims."""
    signed, _, last = proof.rpartition(".")
    header, claims = (json.loads(_decoded(part)) for part in signed.split("."))
    if not isinstance(header, dict) or not isinstance(claims, dict) or not isinstance(header.get("jwk"), dict):
        raise ValueError("a proof's header and claims are objects, and the header has a jwk")
    _, thumbprint, key = public_key(header["jwk"], "")
    # The key decides on the algorithm, never the proof. `crit` would name extensions, and none is understood here.
    algorithm = KEY_TYPES[header["jwk"]["kty"]][2]
    if header.get("typ") != "dpop+jwt" or header.get("alg") != algorithm or "crit" in header:
        raise ValueError("the proof is another kind of token")
    signature = _decoded(last)
    if len(signature) != 2 * SIZE:
        raise ValueError("a signature has 64 bytes")
    if isinstance(key, Ed25519PublicKey):
        key.verify(signature, signed.encode())
    else:
        halves = (int.from_bytes(signature[:SIZE]), int.from_bytes(signature[SIZE:]))
        key.verify(encode_dss_signature(*halves), signed.encode(), ECDSA(SHA256()))
    return thumbprint, claims


# The last letter of base64url has bits to spare: one key spelled in two ways would be two devices.
def _decoded(text: Any) -> bytes:
    """The bytes of unpadded base64url; ValueError for anything else, and for a second spelling of the same bytes."""
    raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)) if isinstance(text, str) else b""
    if _encoded(raw) != text:
        raise ValueError("not unpadded base64url")
    return raw


def _encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _check_claims(claims: dict[str, Any], path: str, request: Request[Any]) -> None:
    issued_at = claims.get("iat")
    if claims.get("htm") != request.method:
        raise ProofInvalid("the proof is for another method", "/htm")
    if not path.endswith(request.path):
        raise ProofInvalid("the proof is for another address", "/htu")
    # Said positively: NaN is within no bounds.
    if not (isinstance(issued_at, int | float) and abs(request.now - issued_at * SECOND) <= MAX_AGE):
        raise ProofInvalid("the proof is older than five minutes", "/iat")
    if not isinstance(claims.get("jti"), str) or not claims["jti"]:
        raise ProofInvalid("the proof has no jti", "/jti")
    token = request.headers.get("authorization", "").rpartition(" ")[2]
    ath = _encoded(hashlib.sha256(token.encode()).digest())
    if claims.get("ath", ath) != ath:
        raise ProofInvalid("the proof is bound to another token", "/ath")
