"""The sandbox bank's callbacks: only what it signed, only lately, and only once by its id."""

import base64
import hashlib
import hmac
import json

import pytest

from billfold import banks
from billfold.banks import Payment, Verdict
from billfold.banks.sandbox import derived_key
from billfold.errors import CallbackRefused
from tests.cloud import secret_store

SECRET = secret_store.SANDBOX_BANK
NOW = 1_800_000_000_000
BODY = json.dumps(
    {"kind": "authentication", "outcome": "approved", "reference": "bau_1", "token": "t", "merchant_reference": "crd_1"}
)


@pytest.fixture
def sandbox(monkeypatch):
    monkeypatch.setenv("BILLFOLD_SANDBOX_BANK_ADDRESS", "http://127.0.0.1:9")
    return banks.bank("sandbox")


def signed(body=BODY, *, secret=SECRET, label="callbacks", event_id="evt_1", at=NOW // 1000, signature=None):
    text = f"{event_id}.{at}.{body}".encode()
    digest = base64.b64encode(hmac.new(derived_key(secret, label), text, hashlib.sha256).digest()).decode()
    return {
        "Webhook-Id": event_id,
        "Webhook-Timestamp": str(at),
        "Webhook-Signature": f"v1,{digest}" if signature is None else signature.format(digest=digest),
    }


@pytest.mark.parametrize("seconds", [-299, 0, 299])
def test_what_the_bank_signed_lately_is_read(sandbox, seconds):
    """Within five minutes, either way."""
    callback = sandbox.callback(signed(at=NOW // 1000 + seconds), BODY, NOW)
    assert (callback.kind, callback.about, callback.event_id) == ("authentication", "crd_1", "evt_1")
    assert callback.verdict == Verdict("approved", "bau_1", "t")


def test_header_names_may_come_in_any_case_and_signatures_beside_others(sandbox):
    """Gateways change the case; a bank that changes its key signs with both."""
    headers = {name.upper(): value for name, value in signed(signature="v1,AAAA v1,{digest}").items()}
    assert sandbox.callback(headers, BODY, NOW).about == "crd_1"


def test_a_payments_callback_tells_the_payment(sandbox):
    """CB-21."""
    body = json.dumps({"kind": "charge", "outcome": "charged", "reference": "pay_1", "merchant_reference": "chg_1"})
    callback = sandbox.callback(signed(body), body, NOW)
    assert (callback.kind, callback.about, callback.verdict) == ("payment", "chg_1", None)
    assert callback.payment == Payment("charged", "pay_1")


def without(name):
    return {known: value for known, value in signed().items() if known != name}


REFUSED = {
    "no headers": {},
    "no id": without("Webhook-Id"),
    "no time": without("Webhook-Timestamp"),
    "no signature": without("Webhook-Signature"),
    "an empty signature": signed(signature=""),
    "not base64": signed(signature="v1,é"),
    "another version": signed(signature="v2,{digest}"),
    "without its version": signed(signature="{digest}"),
    "cut short": signed(signature="v1,{digest:.20}"),
    "another secret": signed(secret="another"),
    "the key for calls": signed(label="calls"),
    "another id": signed() | {"Webhook-Id": "evt_2"},
    "another time": signed() | {"Webhook-Timestamp": str(NOW // 1000 + 1)},
    "another body": signed(BODY.replace("crd_1", "crd_2")),
    "stale": signed(at=NOW // 1000 - 301),
    "of the future": signed(at=NOW // 1000 + 301),
    "no time at all": signed(at="soon"),
    "a time below zero": signed(at=-1),
}


@pytest.mark.parametrize("headers", REFUSED.values(), ids=REFUSED)
def test_anything_else_is_refused(sandbox, headers):
    """CB-13: and the refusal says only that it was."""
    with pytest.raises(CallbackRefused) as refused:
        sandbox.callback(headers, BODY, NOW)
    assert refused.value.problem()["status"] == 401
    assert "crd_1" not in str(refused.value)


@pytest.mark.parametrize("body", ["", "[", "[]", '"x"'])
def test_a_signed_body_that_says_nothing_is_no_success(sandbox, body):
    """It is the bank's, but it approves and charges nothing."""
    callback = sandbox.callback(signed(body), body, NOW)
    assert (callback.about, callback.verdict, callback.payment) == ("", None, Payment("unknown"))
