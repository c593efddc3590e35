"""The vault's keys on moto, as the template makes them."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import boto3

from billfold import aws


def make(*generations: str) -> None:
    """Both keys of these generations, named in the environment; the vault forgets its client."""
    client = boto3.client("kms")
    for generation in generations:
        for kind, kwargs in (
            ("vault", {}),
            ("fingerprints", {"KeySpec": "HMAC_256", "KeyUsage": "GENERATE_VERIFY_MAC"}),
        ):
            arn = client.create_key(**kwargs)["KeyMetadata"]["Arn"]
            os.environ[f"BILLFOLD_KEY_{kind.upper()}_{generation}"] = arn
    aws.forget()


@contextmanager
def listed(generations: str) -> Iterator[None]:
    """A time in which the stage lists these generations, the newest first."""
    before = os.environ["BILLFOLD_VAULT_KEYS"]
    os.environ["BILLFOLD_VAULT_KEYS"] = generations
    try:
        yield
    finally:
        os.environ["BILLFOLD_VAULT_KEYS"] = before
