"""The adapter of the sandbox bank, which is an HTTP service of its own (docs/sandbox.md).

Both sides derive two keys from one secret: the one we show it, and the one it signs callbacks with (Standard Webhooks).
"""

import base64
import functools
import hashlib
import hmac
import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import urllib3

from billfold import aws, bank_currencies
from billfold.banks import (
    CALLBACK_TOLERANCE_SECONDS,
    CONNECT_SECONDS,
    READ_SECONDS,
    Authentication,
    Bank,
    Callback,
    Listed,
    Page,
    Payment,
    TakenBack,
    Verdict,
    reason,
    reference_of,
)
from billfold.errors import CallbackRefused, Unavailable
from billfold.money import Money

Wire = dict[str, Any]
_SECONDS = re.compile(r"[0-9]{1,12}")
# Errors about the request are answers: nothing was done, nor ever will be. The rest is silence, or our own fault.
ANSWERS = frozenset({(400, "malformed"), (404, "unknown_reference")})
NO_ANSWERS = frozenset(
    {
        (400, "idempotency_key_missing"),
        (401, "unauthorized"),
        (404, "unknown_route"),
        (404, "unknown_operation"),
        (422, "idempotency_key_reused"),
        (500, "out_of_order"),
        (503, "busy"),
        (504, "no_answer"),
    }
)
# Redirects are not followed and nothing is asked twice: our caller does that, with the same key.
_pool = urllib3.PoolManager(
    timeout=urllib3.Timeout(connect=CONNECT_SECONDS, read=READ_SECONDS), retries=False, maxsize=8
)


def derived_key(secret: str, label: str) -> bytes:
    """The key for one purpose."""
    return hmac.new(secret.encode(), label.encode(), hashlib.sha256).digest()


@dataclass(frozen=True)
class SandboxBank:
    """The bank at an address, with the secret that it shares with us."""

    address: str
    secret: str = field(repr=False)
    name: str = "sandbox"
    fields_sent: tuple[str, ...] = ("phone", "name", "document_type", "document_number_last4", "number", "expiry")

    def authenticate(self, key: str, asked: Authentication) -> Verdict:
        body = {
            "merchant_reference": asked.card_id,
            "phone": asked.phone,
            "name": asked.name,
            "document_type": asked.document_type,
            "document_number_last4": _last_of(asked.document_number),
            "number": asked.number,
            "expiry": f"{asked.expiry_year:04d}-{asked.expiry_month:02d}",
            "force_challenge": asked.force_challenge,
        }
        return self._verdict(self._post(key, "/v1/authentications", body))

    def send_challenge(self, key: str, reference: str) -> Verdict:
        return self._verdict(self._post(key, "/v1/challenges", {"authentication": reference}))

    def answer_challenge(self, key: str, reference: str, code: str) -> Verdict:
        return self._verdict(self._post(key, "/v1/challenge-answers", {"authentication": reference, "code": code}))

    def challenge(self, key: str, reference: str) -> Verdict:  # noqa: ARG002
        found = self.status(key)
        return found if isinstance(found, Verdict) else Verdict("unknown")

    def charge(self, key: str, token: str, amount: int, currency: str, about: str) -> Payment:
        counted = bank_currencies.counted(self.name, Money(amount, currency))
        if counted is None:
            return Payment("declined", reason="not_counted")
        body = {"token": token, "amount": counted, "currency": currency, "merchant_reference": about}
        return _payment(self._post(key, "/v1/charges", body))

    def refund(self, key: str, reference: str, amount: int, currency: str, about: str) -> Payment:
        counted = bank_currencies.counted(self.name, Money(amount, currency))
        if counted is None:
            return Payment("declined", reason="not_counted")
        body = {"reference": reference, "amount": counted, "merchant_reference": about}
        return _payment(self._post(key, "/v1/refunds", body))

    def withdraw(self, key: str, reference: str) -> Payment:
        return _payment(self._post(key, "/v1/refunds", {"reference": reference, "amount": None}))

    def status(self, key: str, asked_of: str = "") -> Verdict | Payment:  # noqa: ARG002
        status, wire = self._call("GET", "/v1/operations", query={"key": key})
        if status == 404 and wire.get("error") == "unknown_operation":
            return Verdict("absent")
        found = wire if status == 200 else {}
        return _payment(found) if found.get("kind") in ("charge", "refund") else self._verdict(found)

    def taken_back(self, reference: str) -> list[TakenBack]:
        status, wire = self._call("GET", "/v1/disputes", query={"reference": reference})
        if status != 200:
            raise Unavailable()
        taken = [one for one in wire["items"] if one["taken"]]
        minor = functools.partial(bank_currencies.minor, self.name)
        return [TakenBack(one["reference"], minor(one["amount"], one["currency"]), one["currency"]) for one in taken]

    def charges(self, since: int, until: int, cursor: str) -> tuple[list[Listed], str]:
        query = {"since": str(since), "until": str(until), "cursor": cursor}
        status, wire = self._call("GET", "/v1/payments", query=query)
        if status != 200:
            raise Unavailable()
        try:
            return [Listed(**line) for line in wire["items"]], str(wire["next"])
        except (KeyError, TypeError):
            raise Unavailable() from None

    def callback(self, headers: Mapping[str, str], raw_body: str, now: int) -> Callback:
        sent = {name.lower(): value for name, value in headers.items()}
        event_id, signed_at = sent.get("webhook-id", ""), sent.get("webhook-timestamp", "")
        if not _signed(derived_key(self.secret, "callbacks"), event_id, signed_at, raw_body, sent):
            raise CallbackRefused()
        if not _SECONDS.fullmatch(signed_at) or abs(now // 1000 - int(signed_at)) > CALLBACK_TOLERANCE_SECONDS:
            raise CallbackRefused()
        told = _read(raw_body.encode(errors="replace"))
        about, reference = reference_of(told.get("merchant_reference")), reference_of(told.get("reference"))
        event_id = reference_of(event_id)
        if told.get("kind") == "authentication":
            return Callback("authentication", about, reference, self._verdict(told), None, event_id)
        return Callback("payment", about, reference, None, _payment(told), event_id)

    def _verdict(self, wire: Wire) -> Verdict:
        """The page's address is below the bank's own."""
        verdict, secret = _verdict(wire), reference_of(wire.get("page_secret"))
        page = Page(f"{self.address}/v1/pages?secret={secret}", secret)
        return replace(verdict, page=page) if secret and verdict.outcome == "challenge" else verdict

    def _post(self, key: str, path: str, body: Wire) -> Wire:
        """The answer to an operation; an empty one when there is none to rely on."""
        status, wire = self._call("POST", path, key=key, body=body)
        error = str(wire.get("error"))
        if (status, error) in ANSWERS:
            return {"outcome": "declined", "reason": error}
        return wire if status == 200 else {}

    def _call(
        self, method: str, path: str, *, key: str = "", query: dict[str, str] | None = None, body: Wire | None = None
    ) -> tuple[int, Wire]:
        """Status and answer; 0 when none came. An error's text may carry an address with a key: it goes no further."""
        headers = {"Authorization": f"Bearer {derived_key(self.secret, 'calls').hex()}"}
        headers |= {"Idempotency-Key": key} if key else {}
        try:
            answer = (
                _pool.request(method, self.address + path, fields=query, headers=headers)
                if body is None
                else (_pool.request(method, self.address + path, json=body, headers=headers))
            )
        except urllib3.exceptions.HTTPError:
            return 0, {}
        return answer.status, _read(answer.data)


def adapter() -> Bank:
    """The sandbox bank of this stage."""
    address = os.environ["BILLFOLD_SANDBOX_BANK_ADDRESS"]
    return SandboxBank(address.rstrip("/"), aws.secret("sandbox-bank"))


def _last_of(document: str) -> str:
    """At most its last four letters and digits, and never more than half of them: it is a part of it that is sent (CB-07)."""
    known = re.sub(r"[^A-Za-z0-9]", "", document)
    return known[-min(4, len(known) // 2) :] if len(known) > 1 else ""


def _signed(key: bytes, event_id: str, signed_at: str, raw_body: str, headers: Mapping[str, str]) -> bool:
    # Half a character, which no bank sends, is to be refused and not to crash.
    said = f"{event_id}.{signed_at}.{raw_body}".encode(errors="replace")
    expected = hmac.new(key, said, hashlib.sha256).digest()
    wanted = b"v1," + base64.b64encode(expected)
    return any(
        hmac.compare_digest(wanted, one.encode(errors="replace"))
        for one in headers.get("webhook-signature", "").split()
    )


def _read(data: bytes) -> Wire:
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _verdict(wire: Wire) -> Verdict:
    outcome: Any = wire.get("outcome")
    reference, token = reference_of(wire.get("reference")), str(wire.get("token") or "")
    if outcome not in ("approved", "declined", "challenge") or (outcome == "approved" and not (token and reference)):
        return Verdict("unknown")
    tries_left = wire.get("tries_left")
    return Verdict(
        outcome, reference, token, reason(wire.get("reason")), tries_left if isinstance(tries_left, int) else None
    )


def _payment(wire: Wire) -> Payment:
    outcome: Any = wire.get("outcome")
    reference = reference_of(wire.get("reference"))
    if outcome not in ("charged", "refunded", "declined") or (outcome != "declined" and not reference):
        return Payment("unknown")
    return Payment(outcome, reference, reason(wire.get("reason")))
