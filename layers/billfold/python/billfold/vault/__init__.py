"""The vault: seals what only banks may see, and tells equal card numbers by their fingerprints (CB-19).

Envelope encryption: KMS makes a data key for each subject and keeps the only key that opens it again; the data key encrypts
the parts with AES-256-GCM here and is forgotten. The subject's id and its kind are KMS's encryption context and the id, with
the part's name, is the cipher's associated data, so that what was sealed for one card opens for no other and as no other
part. A fingerprint is an HMAC-SHA-256 that KMS computes under another key, which never leaves it.

Both keys come in generations (`BILLFOLD_VAULT_KEYS`, the newest first): new seals use the newest, old ones open as long as
theirs is listed, and `reseal_card` moves cards on.
"""

import base64
import os
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from billfold import aws
from billfold.errors import Unavailable

# 96 random bits, as GCM wants them; each data key encrypts a handful of parts, far from any limit of random nonces.
NONCE_BYTES = 12
# By the beginning of its id, what a subject is.
KINDS = {"crd_": "card", "pho_": "photo"}


class SealBroken(Exception):
    """What the vault holds is not what was sealed for this subject and part: moved, changed, or under another key."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """One part as it may be stored: which generation of keys, the data key as KMS encrypted it, nonce and ciphertext."""

    generation: str
    data_key: bytes = field(repr=False)
    ciphertext: bytes = field(repr=False)


def generations() -> tuple[str, ...]:
    """The generations of keys in use, the newest first."""
    return tuple(os.environ["BILLFOLD_VAULT_KEYS"].split())


def seal(subject: str, plaintext: bytes) -> Sealed:
    """One part, sealed for this subject."""
    return seal_parts(subject, {"": plaintext})[""]


def seal_parts(subject: str, parts: dict[str, bytes]) -> dict[str, Sealed]:
    """Several parts under one data key, each openable by its name alone."""
    generation = generations()[0]
    made = _call(
        "generate_data_key", KeyId=_key("vault", generation), KeySpec="AES_256", EncryptionContext=_of(subject)
    )
    cipher = AESGCM(made["Plaintext"])
    sealed = {}
    for part, plaintext in parts.items():
        nonce = os.urandom(NONCE_BYTES)
        ciphertext = nonce + cipher.encrypt(nonce, plaintext, _bound(subject, part))
        sealed[part] = Sealed(generation, made["CiphertextBlob"], ciphertext)
    return sealed


def open_sealed(subject: str, sealed: Sealed) -> bytes:
    """What `seal` sealed; SealBroken unless it was for exactly this subject."""
    return open_parts(subject, {"": sealed})[""]


def open_parts(subject: str, parts: dict[str, Sealed]) -> dict[str, bytes]:
    """Parts of one data key; SealBroken unless each was sealed for exactly this subject under exactly this name, and under a
    generation of keys that is in use."""
    seals = {(sealed.generation, sealed.data_key) for sealed in parts.values()}
    generation, data_key = seals.pop()
    if seals or generation not in generations():
        raise SealBroken(subject)
    key = _key("vault", generation)
    opened = _call("decrypt", KeyId=key, CiphertextBlob=data_key, EncryptionContext=_of(subject))
    cipher = AESGCM(opened["Plaintext"])
    try:
        return {
            part: cipher.decrypt(
                sealed.ciphertext[:NONCE_BYTES], sealed.ciphertext[NONCE_BYTES:], _bound(subject, part)
            )
            for part, sealed in parts.items()
        }
    except (InvalidTag, ValueError) as error:
        raise SealBroken(subject) from error


def fingerprint(number: str, generation: str) -> str:
    """What stands for a card number where numbers are compared: 43 characters of base64url under one generation's key."""
    key = _key("fingerprints", generation)
    made = _call("generate_mac", KeyId=key, Message=number.encode(), MacAlgorithm="HMAC_SHA_256")
    return base64.urlsafe_b64encode(made["Mac"]).rstrip(b"=").decode()


def fingerprints(number: str) -> list[str]:
    """A number's fingerprints under every generation in use, the newest first."""
    return [fingerprint(number, generation) for generation in generations()]


def _key(kind: str, generation: str) -> str:
    """A key by its ARN: an alias could be pointed elsewhere. KeyError for a generation that is not in use any more."""
    return os.environ[f"BILLFOLD_KEY_{kind.upper()}_{generation}"]


def _of(subject: str) -> dict[str, str]:
    """KMS's encryption context. Its key says what kind of thing is sealed, so that a role may open the one and not the other."""
    return {KINDS[subject[:4]]: subject}


def _bound(subject: str, part: str) -> bytes:
    return f"{subject}/{part}".encode()


def _call(action: str, **arguments: Any) -> dict[str, Any]:
    """One call of KMS; what KMS finds wrong with a ciphertext is SealBroken, whatever else went wrong Unavailable."""
    try:
        return dict(getattr(aws.client("kms"), action)(**arguments))
    except ClientError as error:
        if error.response["Error"]["Code"] in ("InvalidCiphertextException", "IncorrectKeyException"):
            # `from None`: the chain would carry nothing that helps.
            raise SealBroken(action) from None
        raise Unavailable() from error
    except BotoCoreError as error:
        raise Unavailable() from error
