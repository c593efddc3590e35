"""Clients of AWS, made at first use and kept for the process. DynamoDB's is PynamoDB's: see `tables/rows.py`.

They are botocore's own: importing boto3 would cost every cold start a third more, for nothing that a step uses.

Secrets are fetched by the process that uses them, so that a changed one needs no deployment and stands in no environment.
"""

import logging
import os
from typing import Any

import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from billfold import clock
from billfold.errors import Unavailable

# At level DEBUG botocore logs whole answers: secrets, and keys that KMS has opened (CB-18).
logging.getLogger("botocore").setLevel(logging.INFO)

_clients: dict[str, Any] = {}
# Each secret's value, and until when it is not asked for again.
_secrets: dict[str, tuple[str, int]] = {}
SECRET_KEPT = 5 * clock.MINUTE


def client(service: str, **settings: Any) -> Any:
    """The one client of a service, with our time-outs: a call that hangs is given up while its caller still waits."""
    if service not in _clients:
        config = Config(
            connect_timeout=1, read_timeout=3, retries={"total_max_attempts": 3, "mode": "standard"}, **settings
        )
        _clients[service] = botocore.session.get_session().create_client(service, config=config)
    return _clients[service]


def secret(name: str) -> str:
    """A secret of this stage, at most five minutes old; older only while Secrets Manager does not answer. Unavailable when
    there is none to go on with."""
    value, until = _secrets.get(name, ("", 0))
    if clock.now() < until:
        return value
    try:
        asked = {"SecretId": f"{os.environ['BILLFOLD_PREFIX']}-{name}"}
        value = str(client("secretsmanager").get_secret_value(**asked)["SecretString"])
    except (ClientError, BotoCoreError) as error:
        if not value:
            raise Unavailable() from error
    _secrets[name] = (value, clock.now() + SECRET_KEPT)
    return value


def forget() -> None:
    """Make clients anew, and fetch secrets anew: in tests, the cloud is another one each time."""
    _clients.clear()
    _secrets.clear()
