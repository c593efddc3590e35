"""Clients of AWS, made at first use and kept for the process. DynamoDB's is PynamoDB's: see `tables/rows.py`.

They are botocore's own: importing boto3 would cost every cold start a third more, for nothing that a step uses.
"""

from typing import Any

import botocore.session
from botocore.config import Config

_clients: dict[str, Any] = {}


def client(service: str, **settings: Any) -> Any:
    """The one client of a service, with our time-outs: a call that hangs is given up while its caller still waits."""
    if service not in _clients:
        config = Config(
            connect_timeout=1, read_timeout=3, retries={"total_max_attempts": 3, "mode": "standard"}, **settings
        )
        _clients[service] = botocore.session.get_session().create_client(service, config=config)
    return _clients[service]


def forget() -> None:
    """Make clients anew: in tests, the cloud is another one each time."""
    _clients.clear()
