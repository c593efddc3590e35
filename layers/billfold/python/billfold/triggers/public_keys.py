"""Public keys of devices and terminals: points of their curve in one spelling, under which nobody but their owner can sign.

A device's key is a JWK (RFC 7517), Ed25519 or P-256; its thumbprint (RFC 7638) names it. A terminal's is raw Ed25519 in base64.
"""

import base64
import hashlib
import json
from functools import lru_cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from billfold.errors import Invalid

# Per key type: the members of its thumbprint, its only curve, its signature algorithm.
KEY_TYPES = {"OKP": (("crv", "kty", "x"), "Ed25519", "EdDSA"), "EC": (("crv", "kty", "x", "y"), "P-256", "ES256")}
# A coordinate, and half of a signature, on either curve.
SIZE = 32
PublicKey = Ed25519PublicKey | EllipticCurvePublicKey
# Ed25519 is the curve -x² + y² = 1 + dx²y² over the integers modulo P (RFC 8032, 5.1).
P = 2**255 - 19
D = -121665 * pow(121666, -1, P) % P


def from_jwk(jwk: dict[str, Any], at: str) -> tuple[dict[str, str], str, PublicKey]:
    """A device's key, stripped to its public members, with its thumbprint and the key object; Invalid at the pointer."""
    kind = KEY_TYPES.get(str(jwk.get("kty")))
    if kind is None or jwk.get("crv") != kind[1]:
        raise Invalid("the key must be Ed25519 (OKP) or P-256 (EC)", at)
    if "d" in jwk:
        raise Invalid("this is a private key: it must never leave the device", at + "/d")
    stripped = {name: jwk.get(name, "") for name in kind[0]}
    try:
        point = [decoded(stripped[name]) for name in ("x", "y") if name in stripped]
        key = ed25519(*point) if kind[1] == "Ed25519" else _p256(*point)
    except ValueError:
        raise Invalid("the key's coordinates are not a point of its curve that can be a key", at) from None
    text = json.dumps(stripped, sort_keys=True, separators=(",", ":"))
    return stripped, encoded(hashlib.sha256(text.encode()).digest()), key


# A batch's items come from few terminals.
@lru_cache(maxsize=256)
def ed25519(raw: bytes) -> Ed25519PublicKey:
    """The key of 32 bytes; ValueError unless they are the one encoding of a point whose order is not 1, 2, 4 or 8.

    Under a point of such a small order anybody's signature is sound, one time in eight or oftener. OpenSSL takes them, and reads
    what is no point only when it verifies.
    """
    if len(raw) != SIZE:
        raise ValueError("an Ed25519 key has 32 bytes")
    y = int.from_bytes(raw, "little") % 2**255
    if y >= P:
        raise ValueError("a coordinate is less than the field's prime")
    # x² = u/v, and u/v is a square exactly if uv is one (Euler's criterion); v is never zero.
    u, v = y**2 - 1, D * y**2 + 1
    if pow(u * v, (P - 1) // 2, P) not in (0, 1):
        raise ValueError("no point has this coordinate")
    # y is ±1 at the orders 1 and 2, and 0 at 4. Twice a point of order 8 has y = 0, so the point has x² = -y² in the equation.
    if y * u * (D * y**4 + 2 * y**2 - 1) % P == 0:
        raise ValueError("the point is of small order")
    return Ed25519PublicKey.from_public_bytes(raw)


def _p256(x: bytes, y: bytes) -> EllipticCurvePublicKey:
    """The key of two coordinates; ValueError off the curve. All its points but infinity, which has none, are of one great order."""
    if len(x) != SIZE or len(y) != SIZE:
        raise ValueError("a coordinate has 32 bytes")
    return EllipticCurvePublicKey.from_encoded_point(SECP256R1(), b"\x04" + x + y)


# The last letter of base64 has bits to spare: one key spelled in two ways would be two devices, one signature two items.
def decoded(text: Any) -> bytes:
    """The bytes of unpadded base64url; ValueError for anything else, and for a second spelling of the same bytes."""
    raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)) if isinstance(text, str) else b""
    if encoded(raw) != text:
        raise ValueError("not unpadded base64url")
    return raw


def encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def decoded_base64(text: str) -> bytes:
    """The bytes of padded base64; ValueError for anything else, and for a second spelling of the same bytes."""
    raw = base64.b64decode(text, validate=True)
    if base64.b64encode(raw).decode() != text:
        raise ValueError("not the one base64 of these bytes")
    return raw
