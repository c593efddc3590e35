"""DPoP proofs (RFC 9449), which show that a call comes from a device that holds a registered private key.

A device's id is `dev_` and its key's thumbprint. A DPoP proof is a compact JWS (RFC 7515); reading one takes these few lines, while
importing a JWT library takes a sixth of a cold start.
"""

import hashlib
import json
import os
import re
from typing import Any, NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from billfold.clock import MINUTE, SECOND
from billfold.errors import Invalid, ProofInvalid, ProofMissing
from billfold.triggers import public_keys
from billfold.triggers.http import Request
from billfold.triggers.public_keys import KEY_TYPES, SIZE, decoded, encoded

MAX_AGE = 5 * MINUTE
# A port that goes without saying (RFC 3986, 6.2.3).
DEFAULT_PORTS = {"https": ":443", "http": ":80"}
# A text without half characters, which JSON can spell and no bytes can say.
_WHOLE = re.compile(r"[^\ud800-\udfff]+")


class Proof(NamedTuple):
    """What a sound DPoP proof says: the device that signed it, and the proof's own id."""

    device: str
    jti: str


def device(request: Request[Any]) -> str:
    """The id of the device that signed this call's DPoP header; ProofMissing without one, ProofInvalid when it is not sound."""
    return proof(request).device


def proof(request: Request[Any]) -> Proof:
    """This call's DPoP header, verified; refused as `device` says. A step for which one proof may serve once records `jti`."""
    header = request.headers.get("dpop", "")
    if not header:
        raise ProofMissing()
    try:
        thumbprint, claims = _verified(header)
    except (ValueError, RecursionError, InvalidSignature, Invalid) as error:
        raise ProofInvalid("the proof is not a dpop+jwt signed by the key that it names") from error
    _check_claims(claims, request)
    return Proof(f"dev_{thumbprint}", claims["jti"])


def check_unused(used: bool) -> None:
    """ProofInvalid for a proof that was used before, at a step for which one proof may serve once."""
    if used:
        raise ProofInvalid("the proof has been used before", "/jti")


def _verified(proof: str) -> tuple[str, dict[str, Any]]:
    """The thumbprint of the key that a DPoP proof names and is signed by, and the claims of the proof."""
    signed, _, last = proof.rpartition(".")
    header, claims = (json.loads(decoded(part)) for part in signed.split("."))
    if not isinstance(header, dict) or not isinstance(claims, dict) or not isinstance(header.get("jwk"), dict):
        raise ValueError("a proof's header and claims are objects, and the header has a jwk")
    _, thumbprint, key = public_keys.from_jwk(header["jwk"], "")
    # The key decides on the algorithm, never the proof. `crit` would name extensions, and none is understood here.
    algorithm = KEY_TYPES[header["jwk"]["kty"]][2]
    if header.get("typ") != "dpop+jwt" or header.get("alg") != algorithm or "crit" in header:
        raise ValueError("the proof is another kind of token")
    signature = decoded(last)
    if len(signature) != 2 * SIZE:
        raise ValueError("a signature has 64 bytes")
    if isinstance(key, Ed25519PublicKey):
        key.verify(signature, signed.encode())
    else:
        halves = (int.from_bytes(signature[:SIZE]), int.from_bytes(signature[SIZE:]))
        key.verify(encode_dss_signature(*halves), signed.encode(), ECDSA(SHA256()))
    return thumbprint, claims


def _check_claims(claims: dict[str, Any], request: Request[Any]) -> None:
    issued_at = claims.get("iat")
    if claims.get("htm") != request.method:
        raise ProofInvalid("the proof is for another method", "/htm")
    if _normalised(claims.get("htu")) not in _addresses(request):
        raise ProofInvalid("the proof is for another address", "/htu")
    # The comparison is what must hold, and not its opposite, because every comparison with NaN is false.
    if not (isinstance(issued_at, int | float) and issued_at * SECOND <= request.now + MAX_AGE):
        raise ProofInvalid("the phone's clock is more than five minutes ahead, or says nothing", "/iat")
    if issued_at * SECOND < request.now - MAX_AGE:
        raise ProofInvalid("the proof is older than five minutes, or the phone's clock is behind", "/iat")
    if not isinstance(claims.get("jti"), str) or not _WHOLE.fullmatch(claims["jti"]):
        raise ProofInvalid("the proof has no jti", "/jti")
    token = request.headers.get("authorization", "").rpartition(" ")[2]
    ath = encoded(hashlib.sha256(token.encode()).digest())
    if claims.get("ath", ath) != ath:
        raise ProofInvalid("the proof is bound to another token", "/ath")


def _addresses(request: Request[Any]) -> set[str]:
    """The addresses at which this call can have been made. The stage knows its own; the gateway names only its API's id."""
    bases = os.environ["BILLFOLD_ADDRESSES"].replace("{api}", request.api).split()
    return {_normalised(base + request.path) for base in bases}


def _normalised(address: Any) -> str:
    """An address as RFC 9449 (4.3) compares it: scheme and host in small letters, without the scheme's own port, no more.

    Empty for what is none. A letter outside ASCII could become one within, as the sign of kelvin becomes k.
    """
    if not isinstance(address, str) or not address.isascii():
        return ""
    scheme, _, rest = address.partition("://")
    host, slash, path = rest.partition("/")
    scheme = scheme.lower()
    return f"{scheme}://{host.lower().removesuffix(DEFAULT_PORTS.get(scheme, ''))}{slash}{path}"
