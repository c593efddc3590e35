"""What the bank tells of its own accord: a signed POST (Standard Webhooks) to the address that the merchant registered.

A queue with delays carries references only; what is told is what is so when it is told.
"""

import base64
import hashlib
import hmac
import json
from typing import Any

import urllib3

from billfold import clock, ids
from billfold.clock import SECOND
from billfold.triggers import queue
from sandbox_bank import authentications, behaviours, keys, payments, rows
from sandbox_bank.behaviours import Behaviour

QUEUE = "bank-callbacks"
MAX_DELAY_SECONDS = 900
TOLD_LATER_SECONDS = 2

_pool = urllib3.PoolManager(timeout=urllib3.Timeout(connect=1.0, read=3.0), retries=False)


class CallbackUndelivered(Exception):
    """The merchant did not take it: it is sent again later."""


def follow(behaviour: Behaviour, answer: dict[str, Any], answers_at: int) -> None:
    """What is told once an operation has come to something."""
    reference = answer["reference"]
    told_now = behaviour.early and answer["kind"] == "authentication" and _delivered(reference)
    if answer["kind"] == "authentication" and behaviour.callbacks and not told_now:
        send(reference, answers_at, copies=behaviour.callbacks, forged=behaviour.forged)
    if answer["kind"] == "charge" and reference and behaviour.charging == "lost_then_told":
        send(reference, clock.now() + TOLD_LATER_SECONDS * SECOND)
    made = rows.payment(reference) if answer["kind"] in ("charge", "refund") else None
    for due_at in payments.turns(made) if made else []:
        send(reference, due_at)


def send(reference: str, due_at: int, *, copies: int = 1, forged: bool = False) -> None:
    """Have an authentication or charge told when it is due. SQS delays by 15 minutes at most, so some go round again."""
    message = json.dumps({"reference": reference, "due_at": due_at, "copies": copies, "forged": forged})
    wait_seconds = -(-max(0, due_at - clock.now()) // SECOND)
    queue.send(QUEUE, [message], min(wait_seconds, MAX_DELAY_SECONDS))


def receive(body: str) -> str:
    """Tell what a message names, if it is due; a word for the log."""
    message = json.loads(body)
    if clock.now() < message["due_at"]:
        send(message["reference"], message["due_at"], copies=message["copies"], forged=message["forged"])
        return "waits"
    for _ in range(message["copies"]):
        deliver(message["reference"], forged=message["forged"])
    return "told"


def deliver(reference: str, *, forged: bool) -> None:
    """POST one copy; CallbackUndelivered when it is not taken. A forged one counts as delivered when it is refused."""
    address, told = rows.webhook(), _told(reference)
    if not address or told is None:
        return
    body = json.dumps(told)
    try:
        answer = _pool.request("POST", address, body=body.encode(), headers=signed(reference, body, forged=forged))
    except urllib3.exceptions.HTTPError:
        raise CallbackUndelivered() from None
    if answer.status >= 300 and not forged:
        raise CallbackUndelivered()


def _delivered(reference: str) -> bool:
    try:
        deliver(reference, forged=False)
    except CallbackUndelivered:
        return False
    return True


def signed(reference: str, body: str, *, forged: bool = False) -> dict[str, str]:
    """The headers of a callback; every copy has the same id."""
    event_id, at = ids.derived("evt", reference), str(clock.now() // SECOND)
    key = keys.derived("forgery" if forged else "callbacks")
    signature = hmac.new(key, f"{event_id}.{at}.{body}".encode(), hashlib.sha256).digest()
    return {
        "Content-Type": "application/json",
        "Webhook-Id": event_id,
        "Webhook-Timestamp": at,
        "Webhook-Signature": "v1," + base64.b64encode(signature).decode(),
    }


def _told(reference: str) -> dict[str, Any] | None:
    """The body of a callback; None when there is nothing to tell any more."""
    if charged := rows.payment(reference):
        return payments.present(charged, clock.now())
    row = rows.authentication(reference)
    if row is None or row.withdrawn or behaviours.NAMED[row.behaviour].ignored:
        return None
    return authentications.shown(authentications.present(row, clock.now()))
