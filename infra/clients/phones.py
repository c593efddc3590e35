"""Phones and terminals as other people would build them: keys, DPoP proofs and signed items. For the demo, seeds and tests."""

import base64
import hashlib
import json
import secrets
import time
from datetime import UTC, datetime
from typing import Any

import jwt
import rfc8785
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from jwt.algorithms import ECAlgorithm, OKPAlgorithm


class Phone:
    """A device's key pair. `dpop` makes the DPoP header (RFC 9449) of one call."""

    def __init__(self, curve: str = "Ed25519") -> None:
        self._key: Any
        if curve == "Ed25519":
            self.algorithm, self._key = "EdDSA", Ed25519PrivateKey.generate()
            public = OKPAlgorithm.to_jwk(self._key.public_key(), as_dict=True)
        else:
            self.algorithm, self._key = "ES256", ec.generate_private_key(ec.SECP256R1())
            public = ECAlgorithm.to_jwk(self._key.public_key(), as_dict=True)
        names = ("crv", "kty", "x", "y")
        self.jwk: dict[str, Any] = {name: public[name] for name in names if name in public}
        text = json.dumps(self.jwk, sort_keys=True, separators=(",", ":"))
        self.thumbprint = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
        self.device_id = f"dev_{self.thumbprint}"

    def dpop(self, method: str, address: str, **claims: Any) -> str:
        """The DPoP header for one call; claims given replace the honest ones."""
        honest = {"htm": method, "htu": address, "iat": int(time.time()), "jti": secrets.token_hex(12)}
        headers = {"typ": "dpop+jwt", "jwk": self.jwk}
        return jwt.encode(honest | claims, self._key, algorithm=self.algorithm, headers=headers)


class Till:
    """A merchant's terminal: it signs items with a counter that rises."""

    def __init__(self, terminal_id: str = "", private_key: str = "") -> None:
        """`private_key` is the raw Ed25519 key in base64; a fresh one is made without it."""
        raw = base64.b64decode(private_key) if private_key else secrets.token_bytes(32)
        self._key = Ed25519PrivateKey.from_private_bytes(raw)
        self.terminal_id = terminal_id
        self.public_key = base64.b64encode(self._key.public_key().public_bytes_raw()).decode()
        self.private_key = base64.b64encode(raw).decode()
        self._counter = 0

    def item(
        self, bill: str, lines: list[tuple[str, int, int]], currency: str = "USD", **fields: Any
    ) -> dict[str, Any]:
        """A signed item of (name, quantity, unit amount) lines; fields given replace the honest ones before signing."""
        self._counter += 1
        item: dict[str, Any] = {
            "bill": bill,
            "terminal": self.terminal_id,
            "counter": self._counter,
            "signed_at": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "lines": [{"name": name, "quantity": quantity, "unit_amount": unit} for name, quantity, unit in lines],
            "amount": sum(quantity * unit for _, quantity, unit in lines),
            "currency": currency,
        } | fields
        return self.signed(item)

    def signed(self, item: dict[str, Any]) -> dict[str, Any]:
        """The item with this terminal's signature over its canonical form."""
        unsigned = {name: part for name, part in item.items() if name != "signature"}
        signature = self._key.sign(b"billfold-item-v1\n" + rfc8785.dumps(unsigned))
        return unsigned | {"signature": base64.b64encode(signature).decode()}
