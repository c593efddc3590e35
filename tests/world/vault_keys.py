"""The vault's keys on moto, as the template makes them."""

import itertools
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from moto.kms import models

from billfold import aws


def make(*generations: str) -> None:
    """Both keys of these generations, named in the environment."""
    client = aws.client("kms")
    kinds: dict[str, dict[str, Any]] = {
        "vault": {},
        "fingerprints": {"KeySpec": "HMAC_256", "KeyUsage": "GENERATE_VERIFY_MAC"},
    }
    # Moto makes an RSA pair for every key, which would be a third of what these tests take; nobody signs here.
    with patch.object(models, "generate_private_key"):
        for generation, (kind, options) in itertools.product(generations, kinds.items()):
            arn = client.create_key(**options)["KeyMetadata"]["Arn"]
            os.environ[f"BILLFOLD_KEY_{kind.upper()}_{generation}"] = arn


@contextmanager
def listed(generations: str) -> Iterator[None]:
    """A time in which the stage lists these generations, the newest first."""
    before = os.environ["BILLFOLD_VAULT_KEYS"]
    os.environ["BILLFOLD_VAULT_KEYS"] = generations
    try:
        yield
    finally:
        os.environ["BILLFOLD_VAULT_KEYS"] = before
