"""Where things are deployed: an AWS account, or the local cloud, which speaks the same protocol on 127.0.0.1."""

import json
import os
import pathlib
from dataclasses import dataclass, field
from typing import Any

import boto3
from botocore.config import Config

from infra.failures import Failure
from infra.plan.stages import LOCAL, LOCAL_FOLDER, Stage

STACK_FILE = LOCAL_FOLDER / "stack.json"
LOCAL_REGION, LOCAL_ACCOUNT = "us-east-1", "100000000001"


class CloudAbsent(Failure):
    """There is nothing to talk to, and why."""


@dataclass(frozen=True)
class Cloud:
    """An account and region. `endpoint` is the local cloud's address, None on AWS."""

    region: str
    account: str
    endpoint: str | None = None
    _clients: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)

    def client(self, name: str) -> Any:
        """A boto3 client of it, made once. The local cloud takes the account's number for an access key."""
        if name not in self._clients:
            keys: dict[str, Any] = {}
            if self.endpoint:
                keys = {"aws_access_key_id": self.account, "aws_secret_access_key": "local", "aws_session_token": None}
            # A function may run for fifteen minutes; given up earlier, it would be invoked again beside itself.
            patience = 900 if name == "lambda" else 60
            config = Config(
                connect_timeout=3, read_timeout=patience, retries={"total_max_attempts": 5, "mode": "standard"}
            )
            # Typed by the name's text, which is not known here.
            make: Any = boto3.client
            self._clients[name] = make(name, region_name=self.region, endpoint_url=self.endpoint, config=config, **keys)
        return self._clients[name]

    def api(self, api_id: str, stage_name: str) -> str:
        """The base address of a REST API's stage."""
        if self.endpoint:
            return f"{self.endpoint}/_aws/execute-api/{api_id}/{stage_name}"
        return f"https://{api_id}.execute-api.{self.region}.amazonaws.com/{stage_name}"


class WrongAccount(Failure):
    """The credentials open another account or region than the one that the stage belongs to."""


def find(stage: Stage, endpoint: str | None = None) -> Cloud:
    """The cloud of a stage: the local one that runs, or the AWS account that the environment's credentials open.

    CloudAbsent when there is none, WrongAccount when it is not the stage's own.
    """
    if stage.name == LOCAL or endpoint:
        stack = read_stack() if STACK_FILE.exists() else {}
        address = endpoint or stack.get("endpoint")
        if not address:
            raise CloudAbsent("no local cloud runs here: start it with `make up`")
        return Cloud(stack.get("region", LOCAL_REGION), stack.get("account", LOCAL_ACCOUNT), address)
    if not stage.account:
        raise CloudAbsent(f"stage {stage.name} belongs to no account yet: write `account` into .chalice/config.json")
    # AWS_REGION is what AWS's own tools go by; boto3 reads AWS_DEFAULT_REGION alone.
    region = os.environ.get("AWS_REGION") or boto3.Session().region_name or stage.region
    account = boto3.Session().client("sts", region_name=region).get_caller_identity()["Account"]
    if (account, region) != (stage.account, stage.region):
        raise WrongAccount(
            f"stage {stage.name} belongs to account {stage.account} in {stage.region}; "
            f"these credentials open {account} in {region}"
        )
    return Cloud(region, account)


def stand_in(cloud: Cloud, prefix: str) -> None:
    """Have this process use `billfold.tables`, which find their stage by the environment, as a function of the stage would."""
    os.environ |= {"AWS_DEFAULT_REGION": cloud.region, "BILLFOLD_PREFIX": prefix}
    os.environ.pop("AWS_REGION", None)
    if cloud.endpoint:
        for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN"):
            os.environ.pop(name, None)
        os.environ |= {
            "AWS_ENDPOINT_URL": cloud.endpoint,
            "AWS_ACCESS_KEY_ID": cloud.account,
            "AWS_SECRET_ACCESS_KEY": "local",
        }


def read_stack(path: pathlib.Path = STACK_FILE) -> dict[str, Any]:
    """What `make up` wrote; CloudAbsent when no local cloud answers."""
    try:
        return dict(json.loads(path.read_text()))
    except FileNotFoundError:
        raise CloudAbsent("no local cloud runs here: start it with `make up`") from None
