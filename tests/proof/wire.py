"""The wire between a step and the world: what it called of AWS and of banks, and what goes wrong there.

It stands where every botocore client passes, whoever made it and whenever, so a new call of a step, or a new client, is
found by itself. Faults come after botocore's own attempts, as a step sees them once those are spent. Banks are called over
urllib3's pool manager, which botocore goes around; theirs are calls of the service `bank`, named by their path.
"""

import hashlib
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import urllib3
from botocore.client import BaseClient
from botocore.signers import RequestSigner, S3PostPresigner

from infra.plan.state_machines import machines
from infra.plan.triggers import Upload, every

# The way that every call of every client goes; its type hides it.
CLIENTS: Any = BaseClient
# The way that every bank's adapter goes.
POOLS: Any = urllib3.PoolManager
# The ways that an address is signed for somebody else, who then calls with the leave of the one who signed.
URLS: Any = RequestSigner
FORMS: Any = S3PostPresigner
# The client (of a bank: the pool), the action, its arguments, and what sends it; what it returns is the answer.
Fault = Callable[[Any, str, dict[str, Any], Callable[[], Any]], Any]
BANK = "bank"
# More calls than any step makes.
ALWAYS = 1_000_000


@dataclass
class Call:
    """One call as the step made it; `answer` is None when there was none."""

    service: str
    action: str
    arguments: dict[str, Any]
    answer: dict[str, Any] | None = None


@dataclass
class Wire:
    """`with Wire(fault, at=2) as wire:` lets the first two calls pass, gives the third to the fault, and records them all.

    `times` is how many calls in a row meet the fault. `measured` asks DynamoDB for the capacity that each call consumed.
    `run` goes into transactions' tokens: the engine remembers tokens, and must not take a run for a repeat of the last one
    when the tables were put back between them. `signed` are the calls that the step left to others by signed addresses.

    The sandbox bank lives in threads of this process: what other threads call is theirs, neither recorded nor disturbed, but
    with `everywhere`.
    """

    fault: Fault | None = None
    at: int = 0
    times: int = 1
    measured: bool = False
    run: str = ""
    calls: list[Call] = field(default_factory=list)
    signed: list[Call] = field(default_factory=list)
    everywhere: bool = False

    def __enter__(self) -> "Wire":
        self._thread, self._looking = threading.get_ident(), False
        self._real, self._ask = CLIENTS._make_api_call, POOLS.urlopen

        def pass_on(client: Any, action: str, arguments: dict[str, Any]) -> Any:
            return self._pass_to_aws(client, action, arguments)

        def ask(pool: Any, method: str, url: str, *arguments: Any, **options: Any) -> Any:
            return self._pass_to_bank(pool, method, url, *arguments, **options)

        CLIENTS._make_api_call, POOLS.urlopen = pass_on, ask
        self._url, self._form = URLS.generate_presigned_url, FORMS.generate_presigned_post

        def sign_url(signer: Any, **options: Any) -> Any:
            self._note_signed(options["operation_name"], options)
            return self._url(signer, **options)

        def sign_form(presigner: Any, **options: Any) -> Any:
            self._note_signed("PutObject", options)
            return self._form(presigner, **options)

        URLS.generate_presigned_url, FORMS.generate_presigned_post = sign_url, sign_form
        return self

    def __exit__(self, *_: object) -> None:
        CLIENTS._make_api_call, POOLS.urlopen = self._real, self._ask
        URLS.generate_presigned_url, FORMS.generate_presigned_post = self._url, self._form

    def _note_signed(self, action: str, options: dict[str, Any]) -> None:
        found = re.search(r"billfold-[\w-]+", options["request_dict"]["url"])
        assert found, "only our own buckets are signed for"
        self.signed.append(Call("s3", action, {"Bucket": found[0]}))

    def _pass_to_aws(self, client: Any, action: str, arguments: dict[str, Any]) -> Any:
        if client.meta.service_model.service_name == "secretsmanager":
            # A process asks once in five minutes: which step it is, is chance; the templates' test says who may.
            return self._real(client, action, arguments)
        call = Call(client.meta.service_model.service_name, action, dict(arguments))

        def send() -> dict[str, Any]:
            wanted = {"ReturnConsumedCapacity": "INDEXES"} if self.measured and call.service == "dynamodb" else {}
            if token := arguments.get("ClientRequestToken"):
                wanted |= {"ClientRequestToken": hashlib.sha256(f"{self.run}{token}".encode()).hexdigest()[:36]}
            answer: dict[str, Any] = self._real(client, action, {**arguments, **wanted})
            call.answer = answer
            return answer

        return self._pass(client, call, send)

    def _pass_to_bank(self, pool: Any, method: str, url: str, *arguments: Any, **options: Any) -> Any:
        call = Call(BANK, f"{BANK} {urlsplit(url).path}", {"method": method})
        return self._pass(pool, call, lambda: self._ask(pool, method, url, *arguments, **options))

    def _pass(self, client: Any, call: Call, send: Callable[[], Any]) -> Any:
        if (threading.get_ident() != self._thread and not self.everywhere) or self._looking:
            return send()
        number = len(self.calls)
        self.calls.append(call)
        if self.fault and self.at <= number < self.at + self.times:
            # What a fault itself calls, to look at the ground, is no call of the step.
            self._looking = True
            try:
                return self.fault(client, call.action, call.arguments, send)
            finally:
                self._looking = False
        return send()


# What only looks: nothing happens by it, whatever befalls it.
LOOKING = frozenset(
    {"Query", "BatchGetItem", "Decrypt", "GenerateDataKey", "GenerateMac", "HeadObject", "GetObject", "ListObjectsV2"}
)
WRITES = {"PutRequest": "PutItem", "DeleteRequest": "DeleteItem"}
TRANSACTED = {"Put": "PutItem", "Update": "UpdateItem", "Delete": "DeleteItem", "ConditionCheck": "ConditionCheckItem"}


# Where IAM's word for leave is another than the action's.
LEAVES = {
    "ReEncrypt": {"ReEncryptFrom", "ReEncryptTo"},
    # To be told that there is none, and not that it is forbidden.
    "GetObject": {"GetObject", "ListBucket"},
    "HeadObject": {"GetObject", "ListBucket"},
    "ListObjectsV2": {"ListBucket"},
    "DeleteObjects": {"DeleteObject"},
}


def permissions(call: Call) -> set[tuple[str, str]]:
    """What IAM asks for before a call: (subject, action). A query of an index is `Query:index`.

    The subject is a table, `kms`, `bucket <name>` or `machine <name>`; for a queue it is `queue` or `postpone` and the action
    its name. A bank asks for no leave of AWS.
    """
    if call.service == BANK:
        return set()
    if call.service == "sqs":
        name = call.arguments["QueueUrl"].rpartition("/billfold-")[2].removesuffix(".fifo")
        # The dead letters of its own trigger are no queue of its header's, as that trigger itself is none.
        kind = "postpone" if call.action == "ChangeMessageVisibility" else "queue"
        return set() if name.endswith("-dead") else {(kind, name)}
    if call.service == "kms":
        kinds = "".join(f":{kind}" for kind in call.arguments.get("EncryptionContext", {}))
        return {("kms", action + kinds) for action in LEAVES.get(call.action, {call.action})}
    if call.service in ("s3", "stepfunctions"):
        subject = {"s3": _bucket, "stepfunctions": _machine}[call.service](call.arguments)
        return {(subject, action) for action in LEAVES.get(call.action, {call.action})}
    if call.action == "TransactWriteItems":
        writes = [next(iter(item.items())) for item in call.arguments["TransactItems"]]
        return {(_short(write["TableName"]), TRANSACTED[kind]) for kind, write in writes}
    if "RequestItems" in call.arguments:
        return {(_short(name), call.action) for name in call.arguments["RequestItems"]}
    index = call.arguments.get("IndexName")
    return {(_short(call.arguments["TableName"]), f"{call.action}:{index}" if index else call.action)}


def _bucket(arguments: dict[str, Any]) -> str:
    (name,) = [one.bucket for one in every(Upload) if _short(arguments["Bucket"]).startswith(one.bucket)]
    return f"bucket {name}"


def _machine(arguments: dict[str, Any]) -> str:
    if "stateMachineArn" in arguments:
        name = str(arguments["stateMachineArn"]).rpartition(":billfold-")[2]
        return "machine " + name.replace("-", "_")
    # A token does not tell whose it is; there is one machine to whom it can belong.
    (only,) = machines()
    return f"machine {only}"


def _short(name: str) -> str:
    return name.removeprefix("billfold-")
