"""The stage's secrets, served on loopback as Secrets Manager serves them: functions fetch them while they run."""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from tests.cloud.local_http import Answer, LocalServer, Received

SANDBOX_BANK = "a secret that the sandbox bank and its merchant share"
STRIPE_KEY, STRIPE_WEBHOOK = "sk_test_for_tests_only", "whsec_for_tests_only"
SECRETS = {
    "billfold-cursor-key": "a key for tests only",
    "billfold-fingerprint-key": "another key for tests only",
    "billfold-sandbox-bank": SANDBOX_BANK,
    "billfold-stripe": json.dumps({"key": STRIPE_KEY, "webhook_secret": STRIPE_WEBHOOK}),
}
ADDRESS = "AWS_ENDPOINT_URL_SECRETS_MANAGER"


@contextmanager
def running(secrets: Mapping[str, str] = SECRETS) -> Iterator[list[str]]:
    """Every client finds them there; what is yielded fills with the names that were asked for."""
    asked: list[str] = []

    def answer(received: Received) -> Answer:
        name = json.loads(received.body)["SecretId"]
        asked.append(name)
        if name not in secrets:
            return 400, json.dumps({"__type": "ResourceNotFoundException", "message": "none has this name"})
        return 200, json.dumps({"Name": name, "SecretString": secrets[name]})

    before = os.environ.get(ADDRESS)
    with LocalServer(answer) as server:
        os.environ[ADDRESS] = server.address
        try:
            yield asked
        finally:
            os.environ.pop(ADDRESS)
            if before is not None:
                os.environ[ADDRESS] = before
