"""The vault's keys on moto, as the template makes them."""

import os

import boto3

from billfold import vault


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
    vault._client = None
