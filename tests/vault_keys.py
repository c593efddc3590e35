"""The vault's keys on moto, as the template makes them."""

import boto3

from billfold import vault


def make(*generations: str) -> None:
    """Both keys of these generations, under their aliases; the vault forgets its client."""
    client = boto3.client("kms")
    for generation in generations:
        for kind, kwargs in (
            ("vault", {}),
            ("fingerprints", {"KeySpec": "HMAC_256", "KeyUsage": "GENERATE_VERIFY_MAC"}),
        ):
            key = client.create_key(**kwargs)["KeyMetadata"]["KeyId"]
            client.create_alias(AliasName=f"alias/billfold-{kind}-{generation}", TargetKeyId=key)
    vault._client = None
